package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// response is an answer of the gateway or of an integration.
type response struct {
	status  int
	headers map[string]string
	cookies []string
	body    []byte
}

// gatewayAnswer returns an answer of the gateway itself, with its known body.
// Source: localstage/FIDELITY.md, HTTP API.
func gatewayAnswer(status int, message string) *response {
	return &response{
		status:  status,
		headers: map[string]string{"content-type": "application/json"},
		body:    []byte(`{"message":"` + message + `"}`),
	}
}

// writeTo sends the answer. It calls adjust when the headers are set; adjust may change them.
func (a *response) writeTo(w http.ResponseWriter, adjust func()) {
	header := w.Header()
	if a.headers["content-type"] == "" {
		header["Content-Type"] = nil // no guess by net/http
	}
	for name, value := range a.headers {
		header.Set(name, value)
	}
	for _, cookie := range a.cookies {
		header.Add("Set-Cookie", cookie)
	}
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	adjust()
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that hung up needs no answer
}

// decodeResponse decodes the result of a function by the rules of payload format 2.0: an object with a statusCode
// describes the answer; any other JSON is itself the body of a 200, a JSON string without its quotes.
// Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for
// HTTP APIs", Lambda function response for format 2.0; the string is observed
// (github.com/aws/aws-lambda-dotnet pull request 1934).
func decodeResponse(payload []byte) (*response, error) {
	if len(payload) > maxPayloadBytes {
		return nil,
			fmt.Errorf("the function returned %d bytes, Lambda passes on at most %d", len(payload), maxPayloadBytes)
	}
	payload = bytes.TrimSpace(payload)
	if !json.Valid(payload) {
		return nil, errors.New("the function returned no JSON")
	}
	members := map[string]json.RawMessage{}
	if payload[0] == '{' {
		if err := json.Unmarshal(payload, &members); err != nil {
			return nil, fmt.Errorf("decode response: %w", err)
		}
	}
	if _, ok := members["statusCode"]; !ok {
		return impliedResponse(payload)
	}
	return describedResponse(members)
}

func impliedResponse(payload []byte) (*response, error) {
	if payload[0] == '"' {
		var text string
		if err := json.Unmarshal(payload, &text); err != nil {
			return nil, fmt.Errorf("decode response: %w", err)
		}
		payload = []byte(text)
	}
	return &response{
		status: http.StatusOK, headers: map[string]string{"content-type": "application/json"}, body: payload,
	}, nil
}

// describedResponse reads the members of format 2.0, in their exact letter case, and ignores others, multiValueHeaders
// among them.
func describedResponse(members map[string]json.RawMessage) (*response, error) {
	r := &response{}
	var (
		headers  map[string]string
		body     *string
		isBase64 bool
	)
	fields := []struct {
		name string
		into any
	}{
		{"statusCode", &r.status}, {"headers", &headers}, {"cookies", &r.cookies}, {"body", &body},
		{"isBase64Encoded", &isBase64},
	}
	for _, f := range fields {
		if raw, ok := members[f.name]; ok {
			if err := json.Unmarshal(raw, f.into); err != nil {
				return nil, fmt.Errorf("decode response: %s: %w", f.name, err)
			}
		}
	}
	if r.status < 200 || r.status > 599 {
		return nil, fmt.Errorf("decode response: statusCode %d is none", r.status)
	}
	if body != nil {
		r.body = []byte(*body)
	}
	if isBase64 {
		decoded, err := base64.StdEncoding.DecodeString(string(r.body))
		if err != nil {
			return nil, fmt.Errorf("decode response: body: %w", err)
		}
		r.body = decoded
	}
	return r, r.setHeaders(headers)
}

// setHeaders sets the function's headers, except for those that the gateway sets, and adds the content type that API
// Gateway gives an answer without one (observed: "text/plain; charset=utf-8").
func (a *response) setHeaders(headers map[string]string) error {
	a.headers = map[string]string{"content-type": "text/plain; charset=utf-8"}
	for name, value := range headers {
		name = strings.ToLower(name)
		if !validHeader(name, value) {
			return fmt.Errorf("decode response: header %q is not valid", name)
		}
		switch name {
		case "connection", "content-length", "transfer-encoding", "apigw-requestid":
		default:
			a.headers[name] = value
		}
	}
	for _, cookie := range a.cookies {
		if !validHeader("set-cookie", cookie) {
			return errors.New("decode response: a cookie is not valid")
		}
	}
	return nil
}

// validHeader reports whether a header has no control characters, which could make a second header or end the head
// early.
func validHeader(name, value string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return name != ""
}
