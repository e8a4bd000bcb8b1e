package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

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
