package dynamodb

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Each error code has a shape id in front. It differs between the service's own errors, those of its framework, and
// validation errors. Source: responses of the service; the SDKs look only behind the '#'.
const (
	serviceShape    = "com.amazonaws.dynamodb.v20120810#"
	frameworkShape  = "com.amazon.coral.service#"
	validationShape = "com.amazon.coral.validate#"
)

// Error is an error in DynamoDB's form. The zero value is not useful. [Front], [Injector]
// and [Forward] make one with a Status, a Type and a Message.
type Error struct {
	Status  int    // HTTP status, 400 for all but internal errors
	Type    string // shape id, such as "com.amazon.coral.service#AccessDeniedException"
	Message string

	// perItem marks an error that a transaction reports as the cancellation reason of one item, and that refuses any
	// other request. Source: TransactWriteItems of the API reference, and recorded answers of the service.
	perItem bool
	member  string               // name of the message in the body; default "message"
	item    []byte               // ConditionalCheckFailedException: the stored item, in wire form
	reasons []cancellationReason // TransactionCanceledException: one for each item of the request
}

// cancellationReason says why a transaction could not do one of its items. Code "None" stands for an item without an
// error.
type cancellationReason struct {
	code    string
	message string
	item    []byte
}

// Code returns the error's name without its shape id, such as "ValidationException".
func (e *Error) Code() string {
	return e.Type[strings.IndexByte(e.Type, '#')+1:]
}

// Error returns the code and the message.
func (e *Error) Error() string {
	return e.Code() + ": " + e.Message
}

// respond writes the error to w, with checksum and request id.
func (e *Error) respond(w http.ResponseWriter) {
	respond(w, e.Status, e.body())
}

func (e *Error) body() []byte {
	var a answer
	a.text("__type", e.Type)
	a.text(cmp.Or(e.member, "message"), e.Message)
	if e.reasons != nil {
		a.member("CancellationReasons")
		a.body = append(a.body, '[')
		for i, reason := range e.reasons {
			if i > 0 {
				a.body = append(a.body, ',')
			}
			a.body = append(a.body, reason.body()...)
		}
		a.body = append(a.body, ']')
		return a.done()
	}
	if e.item != nil {
		a.raw("Item", e.item)
	}
	return a.done()
}

func (r cancellationReason) body() []byte {
	var a answer
	a.text("Code", r.code)
	if r.message != "" {
		a.text("Message", r.message)
	}
	if r.item != nil {
		a.raw("Item", r.item)
	}
	return a.done()
}

// answer assembles a JSON object. It copies stored items as they are, which makes large pages cheap.
type answer struct{ body []byte }

func (a *answer) member(name string) {
	if len(a.body) == 0 {
		a.body = append(a.body, '{')
	} else {
		a.body = append(a.body, ',')
	}
	a.body = append(append(append(a.body, '"'), name...), '"', ':')
}

func (a *answer) raw(name string, value []byte) {
	a.member(name)
	a.body = append(a.body, value...)
}

func (a *answer) text(name, value string) {
	a.member(name)
	// The only possible error is invalid UTF-8, which becomes the replacement character.
	a.body, _ = jsontext.AppendQuote(a.body, value)
}

func (a *answer) done() []byte {
	if len(a.body) == 0 {
		return []byte("{}")
	}
	return append(a.body, '}')
}

// invalid returns a ValidationException about the request as a whole.
func invalid(format string, args ...any) *Error {
	return &Error{
		Status:  http.StatusBadRequest,
		Type:    validationShape + "ValidationException",
		Message: fmt.Sprintf(format, args...),
	}
}

// invalidItem returns a ValidationException that depends on the table or on the stored item.
func invalidItem(format string, args ...any) *Error {
	err := invalid(format, args...)
	err.perItem = true
	return err
}

// unsupported returns the error for a feature of the service that this engine does not have.
func unsupported(what string) *Error {
	return invalid("The local DynamoDB engine does not have %s. Run the stage against another engine if you "+
		"need it.", what)
}

func malformed(format string, args ...any) *Error {
	return &Error{
		Status:  http.StatusBadRequest,
		Type:    frameworkShape + "SerializationException",
		Message: fmt.Sprintf(format, args...),
	}
}

func refused(code, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Type: serviceShape + code, Message: fmt.Sprintf(format, args...)}
}

func tableNotFound() *Error {
	return refused("ResourceNotFoundException", "Requested resource not found")
}

func conditionFailed(item []byte) *Error {
	err := refused("ConditionalCheckFailedException", "The conditional request failed")
	err.item = item
	return err
}

// canceledAtFirst refuses a transaction of so many items because of its first item.
func canceledAtFirst(items int, code, message string) *Error {
	reasons := noReasons(items)
	reasons[0] = cancellationReason{code: code, message: message}
	return transactionCanceled(reasons)
}

func transactionCanceled(reasons []cancellationReason) *Error {
	codes := make([]string, len(reasons))
	for i, reason := range reasons {
		codes[i] = reason.code
	}
	err := refused("TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	err.reasons, err.member = reasons, "Message"
	return err
}
