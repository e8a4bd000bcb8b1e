package iamauth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"signedsocket/localstage/internal/awsrest"
	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/sigv4"
)

// Refusal is the answer to a refused request. It prints and logs as its status, type and reason. The client's message
// may repeat data of the request, and stays out of both.
type Refusal struct {
	// Status is the HTTP status: 403, and 400 in DynamoDB's protocol.
	Status int
	// ErrorType is the name of the exception, such as AccessDeniedException.
	ErrorType string
	// Reason says why in a few words, and is safe to log.
	Reason string

	// Member is the name of the message in the body: message or Message.
	Member string

	service string
	message func() string // a func, because fmt does not print the result of one
}

// unauthenticated returns the refusal for an error of the verifier.
func unauthenticated(err error, service string) *Refusal {
	r := newRefusal(service)
	var e *sigv4.Error
	if !errors.As(err, &e) { // the verifier has no other errors
		r.ErrorType, r.Reason, r.message = "ForbiddenException", err.Error(), func() string { return "Forbidden" }
		return r
	}
	r.ErrorType, r.Reason, r.message = e.Code, e.Reason, e.Message
	return r
}

// newRefusal returns a refusal of a service without type, reason and message.
func newRefusal(service string) *Refusal {
	r := &Refusal{Status: http.StatusForbidden, service: service, Member: "message"}
	if service == sigv4.ServiceDynamoDB {
		r.Status = http.StatusBadRequest
	}
	return r
}

// Denied returns the refusal for a principal whose policies do not allow an action on a resource, as d says. The
// action's prefix names the service. For @connections the resource is the one that API Gateway names, which ends in the
// literal /POST/@connections/{connectionId}.
//
// The message has the member name Message, unlike all others, and API Gateway's answers mask the resource's account.
//
// Source: answers of the services, as public clients recorded them; localstage/FIDELITY.md, refusals.
func Denied(p *Principal, action, resource string, d policy.Decision) *Refusal {
	service, _, _ := strings.Cut(action, ":")
	r := newRefusal(service)
	r.ErrorType, r.Member = "AccessDeniedException", "Message"
	if service == sigv4.ServiceExecuteAPI {
		resource = maskAccount(resource)
	}
	why := "because no identity-based policy allows the " + action + " action"
	if d.Effect == policy.ExplicitDeny {
		why = "with an explicit deny in an identity-based policy"
	}
	message := "User: " + p.ARN + " is not authorized to perform: " + action + " on resource: " + resource + " " + why
	r.Reason = message
	if d.Statement != "" {
		r.Reason += " (statement " + d.Statement + ")"
	}
	r.message = func() string { return message }
	return r
}

// maskAccount replaces the account of an ARN by asterisks, except for its last four digits, as API Gateway does.
func maskAccount(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	const account = 4
	if len(parts) != 6 || len(parts[account]) < 4 {
		return arn
	}
	digits := parts[account]
	parts[account] = "********" + digits[len(digits)-4:]
	return strings.Join(parts, ":")
}

// Message returns the message for the client. It may repeat data of the request, its session token included: it is not
// for a log.
func (r *Refusal) Message() string {
	return r.message()
}

// String returns the status, the type and the reason.
func (r *Refusal) String() string {
	return fmt.Sprintf("%d %s: %s", r.Status, r.ErrorType, r.Reason)
}

// LogValue returns the status, the type and the reason as attributes.
func (r *Refusal) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("status", r.Status), slog.String("errorType", r.ErrorType),
		slog.String("reason", r.Reason))
}

// WriteTo writes the whole answer as API Gateway or Lambda does. It keeps an x-amzn-RequestId that w already has.
// Package dynamodb writes refusals in DynamoDB's protocol.
//
// Source: answers of the services, as public clients recorded them; localstage/FIDELITY.md, refusals.
func (r *Refusal) WriteTo(w http.ResponseWriter) {
	write := awsrest.WriteError
	if r.service == sigv4.ServiceExecuteAPI {
		write = awsrest.WriteGatewayError
	}
	message, _ := jsontext.AppendQuote(nil, r.Message()) // it replaces invalid UTF-8
	write(w, r.Status, r.ErrorType, []byte(`{"`+r.Member+`":`+string(message)+"}"))
}
