package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"signedsocket/localstage/internal/awsrest"
)

// timestampLayout is the form of times in GetConnection's answer.
// Source: observed.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// maxDiscard is the number of bytes beyond the limit that are read of a payload that is too large.
const maxDiscard = 1 << 20

// errTooLarge is the error for a payload above the limit of a message.
var errTooLarge = errors.New("payload is too large")

// manage serves one request to @connections. The order of the checks is
// assumed; size comes first because the signature covers the whole payload.
// Source: "Use @connections commands in your backend service" and the API's model.
func (g *Gateway) manage(w http.ResponseWriter, r *http.Request, id string) {
	switch r.Method {
	case http.MethodPost, http.MethodGet, http.MethodDelete:
	default:
		forbidden.write(w)
		return
	}
	buf, err := g.readPayload(w, r)
	switch {
	case errors.Is(err, errTooLarge):
		payloadTooLarge.write(w)
		return
	case err != nil:
		badRequest.write(w)
		return
	}
	if _, refused := g.authorizeManage(r, buf[headerRoom:], id); refused != nil {
		g.log.Warn("management request refused by authorization", slog.String("method", r.Method), reason(refused))
		refused.WriteTo(w)
		return
	}
	if !awsrest.IsID(id) {
		malformedID(id).write(w)
		return
	}
	if failed := g.perform(w, r, id, buf); failed != nil {
		failed.write(w)
	}
}

// authorizeManage calls the Authorizer, whatever the authorization of the API's routes.
func (g *Gateway) authorizeManage(r *http.Request, payload []byte, id string) (Identity, Refusal) {
	folder := g.arn(r.Method + "/@connections/")
	return g.cfg.Authorizer.Authorize(r, payload, Access{
		Action:        "execute-api:ManageConnections",
		Resource:      folder + id,
		ResourceShown: folder + "{connectionId}",
	})
}

// perform does an allowed request and writes its success, or returns the refusal to write. buf is the payload behind
// headerRoom free bytes.
func (g *Gateway) perform(w http.ResponseWriter, r *http.Request, id string, buf []byte) *refusal {
	c := g.connections.get(id)
	if c == nil {
		return &gone
	}
	switch r.Method {
	case http.MethodGet:
		return c.describe(w)
	case http.MethodDelete:
		return c.hangUpFor(w)
	}
	return c.post(w, buf)
}

// post is PostToConnection. The bytes go out unchanged in one text frame.
// Source: the model's errors; that the frame is always text is assumed.
func (c *connection) post(w http.ResponseWriter, buf []byte) *refusal {
	faults := c.gateway.injector
	if faults.occurs(faults.GonePosts) {
		return &gone
	}
	if faults.occurs(faults.LimitPosts) {
		return &limitExceeded
	}
	if !faults.occurs(faults.LosePosts) {
		switch err := c.send(textFrame(buf)); {
		case errors.Is(err, errFull):
			return &limitExceeded
		case err != nil:
			return &gone
		}
	}
	awsrest.SetRequestID(w.Header())
	w.WriteHeader(http.StatusOK)
	return nil
}

// describe is GetConnection.
func (c *connection) describe(w http.ResponseWriter) *refusal {
	type identity struct {
		SourceIP  string  `json:"sourceIp"`
		UserAgent *string `json:"userAgent"`
	}
	answer := struct {
		ConnectedAt  string   `json:"connectedAt"`
		Identity     identity `json:"identity"`
		LastActiveAt string   `json:"lastActiveAt"`
	}{
		ConnectedAt:  timestamp(c.connectedAt),
		Identity:     identity{SourceIP: c.identity.SourceIP},
		LastActiveAt: timestamp(c.lastActiveAt()),
	}
	if c.identity.UserAgent != "" {
		answer.Identity.UserAgent = &c.identity.UserAgent
	}
	awsrest.SetRequestID(w.Header())
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // a caller that hung up needs no answer
	return nil
}

// hangUpFor is DeleteConnection.
// Source: the model for 204; what $disconnect then says was observed; that the
// client gets the same in a close frame is assumed.
func (c *connection) hangUpFor(w http.ResponseWriter) *refusal {
	if !c.end(closing(closeNormal, "Connection Closed Normally")) {
		return &gone
	}
	awsrest.SetRequestID(w.Header())
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func timestamp(t time.Time) string { return t.UTC().Format(timestampLayout) }

// malformedID returns the answer to an id that the service cannot have made.
// Source: the form was observed; where malformed begins is assumed.
func malformedID(id string) refusal {
	body, err := json.Marshal(map[string]string{"message": "Invalid connectionId: " + id})
	if err != nil { // unreachable: a string always encodes
		return badRequest
	}
	return refusal{http.StatusBadRequest, "BadRequestException", string(body)}
}

// readPayload reads the body of r to behind headerRoom free bytes, so that a frame's header fits in front. For more
// than a message may have it returns errTooLarge, and reads on for a while: a caller that is still sending would
// otherwise see a reset connection and not the answer. When Close runs out of time, it gives up a caller that never
// finishes.
func (g *Gateway) readPayload(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	stop := context.AfterFunc(g.ctx, func() {
		// fails only on a connection whose reads have ended anyway
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
	})
	defer stop()
	if n := r.ContentLength; n >= 0 && n <= maxMessage {
		buf := make([]byte, headerRoom+int(n))
		if _, err := io.ReadFull(r.Body, buf[headerRoom:]); err != nil {
			return nil, fmt.Errorf("read payload: %w", err)
		}
		return buf, nil
	}
	var b bytes.Buffer // of unknown or too great length
	b.Write(make([]byte, headerRoom))
	n, err := b.ReadFrom(io.LimitReader(r.Body, maxMessage+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read payload: %w", err)
	case n > maxMessage:
		_, _ = io.CopyN(io.Discard, r.Body, maxDiscard)
		return nil, errTooLarge
	}
	return b.Bytes(), nil
}
