package localstage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"signedsocket/internal/localstage/dynamodb"
	"signedsocket/internal/localstage/iamauth"
	"signedsocket/internal/localstage/policy"
	"signedsocket/internal/localstage/sigv4"
	"signedsocket/internal/localstage/template"
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

func newDynamoDBFront(authority *iamauth.Authority, tables []template.Table, next http.Handler, log *slog.Logger) (*dynamoDBFront, error) {
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
		http.Error(w, "The local stage cannot tell which permissions this request needs.", http.StatusInternalServerError)
		return
	}
	if refusal := f.deny(principal, needed); refusal != nil {
		f.log.Warn("DynamoDB denied a request", "refusal", refusal)
		refusal.WriteTo(w)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.next.ServeHTTP(w, r)
}

// deny returns the service's refusal unless principal has every permission that the request needs.
func (f *dynamoDBFront) deny(principal *iamauth.Principal, needed []dynamodb.Request) *iamauth.Refusal {
	for _, n := range needed {
		request := policy.Request{Action: n.Action, Resource: f.arn(n.Table), Context: policy.Context{}}
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

// forwardTo returns a handler that hands requests on to another DynamoDB. They
// keep their signature, which DynamoDB Local and its like do not check.
func forwardTo(endpoint string) (http.Handler, error) {
	target, err := url.Parse(endpoint)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		return nil, fmt.Errorf("DynamoDB endpoint %q: write it as http://127.0.0.1:8000", endpoint)
	}
	return &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}, nil
}
