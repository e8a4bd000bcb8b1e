package localstage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"signedsocket/localstage/internal/dynamodb"
	"signedsocket/localstage/internal/iamauth"
	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/sigv4"
	"signedsocket/localstage/internal/template"
)

// maxDynamoDBRequest is more than the service takes (16 MB), so that the engine can say so itself.
const maxDynamoDBRequest = 17 << 20

// dynamoDBFront stands before every DynamoDB engine: it verifies the signature
// of each request and asks the signer's policies, as the service does.
type dynamoDBFront struct {
	authority *iamauth.Authority
	tables    map[string]tableFacts // by name
	next      http.Handler
	log       *slog.Logger
}

// tableFacts are what permissions on a table need to know of it.
type tableFacts struct {
	arn, partitionKey string
}

func newDynamoDBFront(
	authority *iamauth.Authority, tables []template.Table, next http.Handler, log *slog.Logger,
) (*dynamoDBFront, error) {
	facts := make(map[string]tableFacts, len(tables))
	for _, t := range tables {
		var schema struct {
			KeySchema []struct{ AttributeName, KeyType string }
		}
		if err := json.Unmarshal(t.CreateTable, &schema); err != nil {
			return nil, fmt.Errorf("key schema of table %s: %w", t.LogicalID, err)
		}
		for _, key := range schema.KeySchema {
			if key.KeyType == "HASH" {
				facts[t.Name] = tableFacts{arn: t.ARN, partitionKey: key.AttributeName}
			}
		}
	}
	return &dynamoDBFront{authority: authority, tables: facts, next: next, log: log}, nil
}

// ServeHTTP answers what the signer may not do, and hands the rest to the engine.
func (f *dynamoDBFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDynamoDBRequest))
	if err != nil {
		return // the client hung up, or sent more than any engine takes
	}
	principal, refusal := f.authority.Authenticate(r, body, sigv4.ServiceDynamoDB)
	if refusal != nil {
		f.log.Warn("DynamoDB refused a request", "refusal", refusal)
		refusal.WriteTo(w)
		return
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	needed, err := dynamodb.Access(operation, body, f.partitionKey)
	if err != nil {
		if refusal, ok := errors.AsType[*dynamodb.Error](err); ok {
			refusal.Respond(w)
			return
		}
		http.Error(w, "The local stage cannot tell which permissions this request needs.",
			http.StatusInternalServerError)
		return
	}
	if refusal := f.deny(principal, needed, conditions(r)); refusal != nil {
		f.log.Warn("DynamoDB denied a request", "refusal", refusal)
		refusal.WriteTo(w)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.next.ServeHTTP(w, r)
}

// deny returns the service's refusal unless principal has every permission that the request needs.
func (f *dynamoDBFront) deny(
	principal *iamauth.Principal, needed []dynamodb.Request, ofRequest policy.Context,
) *iamauth.Refusal {
	for _, n := range needed {
		request := policy.Request{Action: n.Action, Resource: f.arn(n.Table), Context: maps.Clone(ofRequest)}
		if n.LeadingKeys != nil {
			request.Context["dynamodb:LeadingKeys"] = n.LeadingKeys
		}
		if n.EnclosingOperation != "" {
			request.Context["dynamodb:EnclosingOperation"] = []string{n.EnclosingOperation}
		}
		if decision := principal.Allows(request); !decision.Allowed() {
			return iamauth.Denied(principal, request.Action, request.Resource, decision)
		}
	}
	return nil
}

func (f *dynamoDBFront) partitionKey(table string) (string, error) {
	facts, ok := f.tables[table]
	if !ok {
		return "", &dynamodb.Error{
			Status:  http.StatusBadRequest,
			Type:    "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
			Message: "Requested resource not found: the template has no table " + table,
		}
	}
	return facts.partitionKey, nil
}

func (f *dynamoDBFront) arn(table string) string {
	if facts, ok := f.tables[table]; ok {
		return facts.arn
	}
	if table == "" {
		return "*"
	}
	return "arn:aws:dynamodb:" + Region + ":" + AccountID + ":table/" + table
}

// dynamoDBTarget reads the address of another DynamoDB.
func dynamoDBTarget(endpoint string) (*url.URL, error) {
	target, err := url.Parse(endpoint)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		return nil, fmt.Errorf("DynamoDB endpoint %q: write it as http://127.0.0.1:8000", endpoint)
	}
	return target, nil
}

// forwardTo returns a handler that hands requests on to another DynamoDB, which has to be running. They
// keep their signature, which DynamoDB Local and its like do not check.
func forwardTo(ctx context.Context, endpoint string) (http.Handler, error) {
	target, err := dynamoDBTarget(endpoint)
	if err != nil {
		return nil, err
	}
	if err := ping(ctx, endpoint); err != nil {
		return nil, fmt.Errorf("the DynamoDB at %s does not answer, is it running? %w", endpoint, err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			(&dynamodb.Error{
				Status:  http.StatusServiceUnavailable,
				Type:    "com.amazon.coral.availability#ServiceUnavailableException",
				Message: "the DynamoDB at " + endpoint + " does not answer: " + err.Error(),
			}).Respond(w)
		},
	}, nil
}

// ping returns nil if somebody speaks HTTP there.
func ping(ctx context.Context, endpoint string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if withURL, ok := errors.AsType[*url.Error](err); ok {
		return withURL.Err
	}
	if err == nil {
		err = response.Body.Close()
	}
	return err
}
