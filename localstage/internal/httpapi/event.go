package httpapi

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// event is the Lambda event in payload format 2.0.
// Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
type event struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        requestContext    `json:"requestContext"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	Body                  string            `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string           `json:"accountId"`
	APIID        string           `json:"apiId"`
	Authorizer   *eventAuthorizer `json:"authorizer,omitempty"`
	DomainName   string           `json:"domainName"`
	DomainPrefix string           `json:"domainPrefix"`
	HTTP         eventHTTP        `json:"http"`
	RequestID    string           `json:"requestId"`
	RouteKey     string           `json:"routeKey"`
	Stage        string           `json:"stage"`
	Time         string           `json:"time"`      // common log format
	TimeEpoch    int64            `json:"timeEpoch"` // milliseconds
}

type eventHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

type eventAuthorizer struct {
	JWT *eventJWT `json:"jwt,omitempty"`
	IAM *eventIAM `json:"iam,omitempty"`
}

// eventJWT holds every claim as a string; see claimText. Scopes are null on a
// route without scopes.
type eventJWT struct {
	Claims map[string]string `json:"claims"`
	Scopes []string          `json:"scopes"`
}

type eventIAM struct {
	AccessKey       string  `json:"accessKey"`
	AccountID       string  `json:"accountId"`
	CallerID        string  `json:"callerId"`
	CognitoIdentity *string `json:"cognitoIdentity"` // always null: the stage has no Cognito identity pools
	PrincipalOrgID  *string `json:"principalOrgId"`  // always null: the account is in no organization
	UserARN         string  `json:"userArn"`
	UserID          string  `json:"userId"`
}

func newEventIAM(i Identity) *eventIAM {
	return &eventIAM{
		AccessKey: i.AccessKey, AccountID: i.AccountID, CallerID: i.CallerID, UserARN: i.UserARN, UserID: i.UserID,
	}
}

func (a *API) newEvent(
	r *http.Request, match *matched, body []byte, requestID string, authorizer *eventAuthorizer,
) *event {
	now := a.config.Now().UTC()
	path, source := decodedPath(r), sourceIP(r)
	prefix, _, _ := strings.Cut(a.config.DomainName, ".")
	e := &event{
		Version:               "2.0",
		RouteKey:              match.route.key,
		RawPath:               path,
		RawQueryString:        r.URL.RawQuery,
		Cookies:               cookies(r.Header),
		Headers:               a.eventHeaders(r, len(body), source, now),
		QueryStringParameters: queryParameters(r.URL.RawQuery),
		PathParameters:        match.parameters,
		RequestContext: requestContext{
			AccountID: a.config.AccountID, APIID: a.config.APIID,
			Authorizer: authorizer,
			DomainName: a.config.DomainName, DomainPrefix: prefix,
			HTTP: eventHTTP{
				Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: source, UserAgent: r.UserAgent(),
			},
			RequestID: requestID, RouteKey: match.route.key, Stage: a.config.Stage,
			Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		},
	}
	e.Body, e.IsBase64Encoded = eventBody(r.Header.Get("Content-Type"), body)
	return e
}

// decodedPath returns the path as an HTTP API passes it on: percent-decoded, even in rawPath, and cut at a decoded
// question mark.
// Source: API Gateway developer guide, "Create routes for HTTP APIs" (request
// parameters are decoded); the cut is observed (github.com/hotsock/voker pull request 8).
func decodedPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.URL.Path, "?")
	if path == "" {
		return "/"
	}
	return path
}

// eventHeaders returns the client's headers with lower-case names, repeated ones joined by commas, and the headers that
// the gateway adds. Cookies have a field of their own. The stage says "http" and its own port where AWS says "https"
// and 443, because functions build addresses from these headers.
func (a *API) eventHeaders(r *http.Request, length int, source string, now time.Time) map[string]string {
	headers := map[string]string{}
	for name, values := range r.Header {
		switch name {
		case "Cookie", "Connection", "Keep-Alive", "Upgrade", "Te", "Trailer", "Transfer-Encoding",
			"Proxy-Authorization", "Proxy-Connection":
		default:
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	headers["host"] = r.Host
	headers["content-length"] = strconv.Itoa(length)
	headers["x-forwarded-for"] = strings.Join(append(r.Header.Values("X-Forwarded-For"), source), ", ")
	headers["x-forwarded-proto"], headers["x-forwarded-port"] = arrivedBy(r)
	if headers["x-amzn-trace-id"] == "" {
		headers["x-amzn-trace-id"] = fmt.Sprintf("Root=1-%08x-%s", now.Unix(), hex.EncodeToString(a.random(12)))
	}
	return headers
}

func arrivedBy(r *http.Request) (proto, port string) {
	proto, port = "http", "80"
	if r.TLS != nil {
		proto, port = "https", "443"
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if _, p, err := net.SplitHostPort(local.String()); err == nil {
			port = p
		}
	}
	return proto, port
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func cookies(h http.Header) []string {
	var all []string
	for _, line := range h.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if pair = strings.TrimSpace(pair); pair != "" {
				all = append(all, pair)
			}
		}
	}
	return all
}

// queryParameters returns the decoded parameters, repeated ones joined by commas, and nil without a query.
func queryParameters(rawQuery string) map[string]string {
	values, _ := url.ParseQuery(rawQuery) // parameters with a bad escape are left out
	if len(values) == 0 {
		return nil
	}
	parameters := make(map[string]string, len(values))
	for name, all := range values {
		parameters[name] = strings.Join(all, ",")
	}
	return parameters
}

// eventBody returns the body as text, or as base64 unless the gateway takes the content type for text: text/*, JSON,
// XML and JavaScript, in UTF-8. A missing content type and an HTML form count as binary.
// Source: observed (github.com/ministackorg/ministack pull request 766,
// github.com/floci-io/floci issue 2172); the documentation has no list.
func eventBody(contentType string, body []byte) (text string, isBase64 bool) {
	if len(body) == 0 {
		return "", false
	}
	if isText(contentType) && utf8.Valid(body) {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

func isText(contentType string) bool {
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	for name, value := range parameters {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return false
		}
	}
	switch mediaType {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(mediaType, "text/")
}

// newRequestID returns an id in the form of API Gateway's extended request ids: eleven bytes in URL-safe base64, 15
// characters and one equals sign.
func (a *API) newRequestID() string { return base64.URLEncoding.EncodeToString(a.random(11)) }

func (a *API) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(a.config.Random, b); err != nil {
		panic("httpapi: random source: " + err.Error()) // unreachable with crypto/rand
	}
	return b
}
