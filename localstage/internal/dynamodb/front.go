package dynamodb

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

	"signedsocket/localstage/internal/iamauth"
	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/sigv4"
	"signedsocket/localstage/internal/template"
)

// maxFrontRequest is the largest request that the front reads. It is above maxRequest, so that the engine refuses a
// request that is too large.
const maxFrontRequest = maxRequest + 1<<20

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
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFrontRequest))
	if err != nil {
		return // the client hung up, or sent more than any engine takes
	}
	principal, refusal := f.options.Authority.Authenticate(r, body, sigv4.ServiceDynamoDB)
	if refusal != nil {
		f.options.Log.Warn("DynamoDB refused a request", "refusal", refusal)
		refusedBy(refusal).respond(w)
		return
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	needed, err := Access(operation, body, f.partitionKey)
	if err != nil {
		if refusal, ok := errors.AsType[*Error](err); ok {
			refusal.respond(w)
			return
		}
		http.Error(w, "The local stage cannot tell which permissions this request needs.",
			http.StatusInternalServerError)
		return
	}
	if refusal := f.deny(principal, needed, f.options.Conditions(r)); refusal != nil {
		f.options.Log.Warn("DynamoDB denied a request", "refusal", refusal)
		refusedBy(refusal).respond(w)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.next.ServeHTTP(w, r)
}

// deny returns a refusal unless the principal has every permission that the request needs.
func (f *Front) deny(
	principal *iamauth.Principal, needed []Request, ofRequest policy.Context,
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

// refusedBy returns a refusal of the Authority as an error of DynamoDB.
func refusedBy(r *iamauth.Refusal) *Error {
	return &Error{Status: r.Status, Type: frameworkShape + r.ErrorType, Message: r.Message(), member: r.Member}
}

func (f *Front) partitionKey(table string) (string, error) {
	known, ok := f.tables[table]
	if !ok {
		return "",
			refused("ResourceNotFoundException", "Requested resource not found: the template has no table %s", table)
	}
	return known.partitionKey, nil
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

// ParseEndpoint parses the address of another DynamoDB.
func ParseEndpoint(endpoint string) (*url.URL, error) {
	target, err := url.Parse(endpoint)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		return nil, fmt.Errorf("DynamoDB endpoint %q: write it as http://127.0.0.1:8000", endpoint)
	}
	return target, nil
}

// Forward returns a handler that passes requests to another DynamoDB, which must be running. The requests keep their
// signature, which DynamoDB Local does not check.
func Forward(ctx context.Context, endpoint string) (http.Handler, error) {
	target, err := ParseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	if err := ping(ctx, endpoint); err != nil {
		return nil, fmt.Errorf("the DynamoDB at %s does not answer, is it running? %w", endpoint, err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			(&Error{
				Status:  http.StatusServiceUnavailable,
				Type:    "com.amazon.coral.availability#ServiceUnavailableException",
				Message: "the DynamoDB at " + endpoint + " does not answer: " + err.Error(),
			}).respond(w)
		},
	}, nil
}

// ping returns an error unless the endpoint speaks HTTP.
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
