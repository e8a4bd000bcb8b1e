package gateway

import (
	"bytes"
	"encoding/json"
	"time"

	"signedsocket/localstage/internal/awsrest"
)

// requestTimeLayout is the form of requestContext.requestTime.
// Source: "WebSocket API mapping template reference".
const requestTimeLayout = "02/Jan/2006:15:04:05 -0700"

// event is the input of an integration. It leaves absent members out.
// Source: "Set up an integration request for WebSocket APIs" and observed events.
type event struct {
	Headers                         map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders,omitempty"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters,omitempty"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters,omitempty"`
	StageVariables                  map[string]string   `json:"stageVariables,omitempty"`
	RequestContext                  requestContext      `json:"requestContext"`
	Body                            *string             `json:"body,omitempty"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

// requestContext is the same for the three kinds of event, except for messageId (MESSAGE) and the disconnect members
// (DISCONNECT).
// Source: "WebSocket API mapping template reference" and observed events.
type requestContext struct {
	RouteKey             string        `json:"routeKey"`
	MessageID            string        `json:"messageId,omitempty"`
	DisconnectStatusCode *int          `json:"disconnectStatusCode,omitempty"`
	EventType            string        `json:"eventType"`
	ExtendedRequestID    string        `json:"extendedRequestId"`
	RequestTime          string        `json:"requestTime"`
	MessageDirection     string        `json:"messageDirection"`
	DisconnectReason     *string       `json:"disconnectReason,omitempty"`
	Stage                string        `json:"stage"`
	ConnectedAt          int64         `json:"connectedAt"`
	RequestTimeEpoch     int64         `json:"requestTimeEpoch"`
	Identity             eventIdentity `json:"identity"`
	RequestID            string        `json:"requestId"`
	DomainName           string        `json:"domainName"`
	ConnectionID         string        `json:"connectionId"`
	APIID                string        `json:"apiId"`
}

// eventIdentity is the owner of a connection. The members of IAM are on CONNECT only.
// Source: observed for CONNECT; their absence from the other events is assumed.
type eventIdentity struct {
	PrincipalOrgID string `json:"principalOrgId,omitempty"`
	UserARN        string `json:"userArn,omitempty"`
	AccountID      string `json:"accountId,omitempty"`
	UserAgent      string `json:"userAgent,omitempty"`
	Caller         string `json:"caller,omitempty"`
	SourceIP       string `json:"sourceIp"`
	AccessKey      string `json:"accessKey,omitempty"`
	User           string `json:"user,omitempty"`
}

// peer holds the facts about a connection's client that later events need.
type peer struct {
	id          string // connectionId
	connectedAt time.Time
	domainName  string
	identity    eventIdentity // without the members of IAM
}

// newEvent returns an event of p with the members that all kinds share.
func (g *Gateway) newEvent(p *peer, routeKey, eventType, requestID string, at time.Time) event {
	return event{
		StageVariables: g.cfg.StageVariables,
		RequestContext: requestContext{
			RouteKey:          routeKey,
			EventType:         eventType,
			ExtendedRequestID: requestID,
			RequestTime:       at.UTC().Format(requestTimeLayout),
			MessageDirection:  "IN",
			Stage:             g.cfg.Stage,
			ConnectedAt:       p.connectedAt.UnixMilli(),
			RequestTimeEpoch:  at.UnixMilli(),
			Identity:          p.identity,
			RequestID:         requestID,
			DomainName:        p.domainName,
			ConnectionID:      p.id,
			APIID:             g.cfg.APIID,
		},
	}
}

// connectEvent returns the event of a handshake.
func (g *Gateway) connectEvent(p *peer, signer Identity, headers, query values) event {
	now := g.cfg.Now()
	e := g.newEvent(p, routeConnect, "CONNECT", awsrest.NewID(now), now)
	e.Headers, e.MultiValueHeaders = headers.single, headers.multi
	e.QueryStringParameters, e.MultiValueQueryStringParameters = query.single, query.multi
	identity := &e.RequestContext.Identity
	identity.PrincipalOrgID = signer.PrincipalOrgID
	identity.UserARN = signer.UserARN
	identity.AccountID = signer.AccountID
	identity.Caller = signer.Caller
	identity.AccessKey = signer.AccessKey
	identity.User = signer.User
	return e
}

// messageEvent returns the event of a message.
func (g *Gateway) messageEvent(p *peer, routeKey string, m message) event {
	e := g.newEvent(p, routeKey, "MESSAGE", m.requestID, m.at)
	e.RequestContext.MessageID = m.id
	body := string(m.body)
	e.Body = &body
	return e
}

// disconnectEvent returns the event of a connection that has ended.
func (g *Gateway) disconnectEvent(p *peer, end ending) event {
	now := g.cfg.Now()
	e := g.newEvent(p, routeDisconnect, "DISCONNECT", awsrest.NewID(now), now)
	headers := disconnectHeaders(p)
	e.Headers, e.MultiValueHeaders = headers.single, headers.multi
	e.RequestContext.DisconnectStatusCode = &end.code
	e.RequestContext.DisconnectReason = &end.reason
	return e
}

// encode returns e as JSON with its text left as it is: nothing is escaped for
// HTML.
func (e event) encode() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
