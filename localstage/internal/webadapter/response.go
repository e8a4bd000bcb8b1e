package webadapter

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// response is a function's response in payload format 2.0.
// Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for
// HTTP APIs", Lambda function response for format 2.0.
type response struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

// proxyResponse makes a function's response of a server's answer.
//
// Of a header that the server sets several times only the first value reaches the client, except for cookies: the
// format has one value for each name.
// Source: aws/aws-lambda-rust-runtime, lambda_http, responses for API Gateway v2.
func proxyResponse(answer *http.Response) ([]byte, error) {
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("read the server's answer: %w", err)
	}
	r := response{
		StatusCode: answer.StatusCode, Headers: make(map[string]string, len(answer.Header)),
		Cookies: append([]string{}, answer.Header.Values("Set-Cookie")...),
	}
	for name, values := range answer.Header {
		switch name {
		case "Set-Cookie", "Connection", "Transfer-Encoding":
		default:
			r.Headers[strings.ToLower(name)] = values[0]
		}
	}
	if isText(answer.Header) {
		r.Body = string(body)
	} else {
		r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	var document bytes.Buffer
	encoder := json.NewEncoder(&document)
	encoder.SetEscapeHTML(false) // it would count against Lambda's limit
	if err := encoder.Encode(r); err != nil {
		return nil, fmt.Errorf("encode the server's answer: %w", err)
	}
	return document.Bytes(), nil
}

// isText reports whether a body is passed on as text. All other bodies are base64: compressed ones, and those of a type
// that is not known to be text.
// Source: aws/aws-lambda-rust-runtime, lambda_http, conversion of bodies.
func isText(header http.Header) bool {
	contentType := header.Get("Content-Type")
	if header.Get("Content-Encoding") != "" {
		return false
	}
	if contentType == "" {
		return true
	}
	for _, prefix := range []string{
		"text", "application/json", "application/javascript", "application/xml", "application/yaml",
	} {
		if strings.HasPrefix(contentType, prefix) {
			return true
		}
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	for _, suffix := range []string{"+xml", "+yaml", "+json"} {
		if strings.HasSuffix(mediaType, suffix) {
			return true
		}
	}
	return false
}
