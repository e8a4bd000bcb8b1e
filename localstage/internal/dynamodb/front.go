package dynamodb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"

	"signedsocket/localstage/internal/iamauth"
	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/sigv4"
	"signedsocket/localstage/internal/template"
)

// FrontOptions are the parts of a Front. All are required.
type FrontOptions struct {
	Authority  *iamauth.Authority
	Conditions func(*http.Request) policy.Context // condition keys of every request
	Tables     []template.Table
	Region     string
	AccountID  string
	Log        *slog.Logger
}

// Front verifies the signature of each request to a DynamoDB and evaluates the signer's policies, as the service does.
type Front struct {
	options FrontOptions
	tables  map[string]securedTable // by name
	next    http.Handler
}

// securedTable is a table as policies name it.
type securedTable struct {
	arn, partitionKey string
}

// NewFront returns a Front that passes allowed requests to next.
func NewFront(o FrontOptions, next http.Handler) (*Front, error) {
	tables := make(map[string]securedTable, len(o.Tables))
	for _, t := range o.Tables {
		var schema struct {
			KeySchema []struct{ AttributeName, KeyType string }
		}
		if err := json.Unmarshal(t.CreateTable, &schema); err != nil {
			return nil, fmt.Errorf("key schema of table %s: %w", t.LogicalID, err)
		}
		for _, key := range schema.KeySchema {
			if key.KeyType == "HASH" {
				tables[t.Name] = securedTable{arn: t.ARN, partitionKey: key.AttributeName}
			}
		}
	}
	return &Front{options: o, tables: tables, next: next}, nil
}

// ServeHTTP refuses a request that the signer may not make, and passes the others on.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	if err == nil {
		err = f.check(r, body)
	}
	if err != nil {
		asError(err).respond(w)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.next.ServeHTTP(w, r)
}

// check returns an error, which is the answer, unless the request is signed and its signer may make it.
func (f *Front) check(r *http.Request, body []byte) error {
	principal, refusal := f.options.Authority.Authenticate(r, body, sigv4.ServiceDynamoDB)
	if refusal != nil {
		f.options.Log.Warn("DynamoDB refused a request", "refusal", refusal)
		return refusedBy(refusal)
	}
	operation, err := operationIn(r.Header)
	if err != nil {
		return err
	}
	needed, err := access(operation, body, f.partitionKey)
	if err != nil {
		return err
	}
	if refusal := f.deny(principal, needed, f.options.Conditions(r)); refusal != nil {
		f.options.Log.Warn("DynamoDB denied a request", "refusal", refusal)
		return refusedBy(refusal)
	}
	return nil
}

// deny returns a refusal unless the principal has every permission that the request needs.
func (f *Front) deny(principal *iamauth.Principal, needed []permission, ofRequest policy.Context) *iamauth.Refusal {
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

// refusedBy returns a refusal of the Authority as an error of DynamoDB.
func refusedBy(r *iamauth.Refusal) *Error {
	return &Error{Status: r.Status, Type: frameworkShape + r.ErrorType, Message: r.Message(), member: r.Member}
}

func (f *Front) partitionKey(table string) (string, error) {
	if known, ok := f.tables[table]; ok {
		return known.partitionKey, nil
	}
	return "", refused("ResourceNotFoundException", "Requested resource not found: the template has no table %s", table)
}

func (f *Front) arn(table string) string {
	if known, ok := f.tables[table]; ok {
		return known.arn
	}
	if table == "" {
		return "*"
	}
	return "arn:aws:dynamodb:" + f.options.Region + ":" + f.options.AccountID + ":table/" + table
}
