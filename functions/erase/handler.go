package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"signedsocket/shared/logging"
	"signedsocket/shared/roomlog"
	"signedsocket/shared/userid"
)

// errUnknownEvent is the answer to an event that is no request of an operator.
var errUnknownEvent = errors.New(`unknown event: want {"erase":{"user":"…"}}`)

// logs has the messages of rooms; roomlog.Log does.
type logs interface {
	NextRoom(ctx context.Context, room string) (string, error)
	Erase(ctx context.Context, room, subject string, behind int64, step roomlog.Step) (roomlog.Erased, error)
	Look(ctx context.Context, room string, after int64) roomlog.Look
	Append(ctx context.Context, look roomlog.Look, e roomlog.Entry) (stored roomlog.Entry, duplicate bool, err error)
}

// readMarkers has the items that say what users have read; markers.Eraser does.
type readMarkers interface {
	Remove(ctx context.Context, subject string, count bool) (found int, err error)
}

type handler struct {
	log     *slog.Logger
	salt    string // of user ids in the log
	rooms   logs
	markers readMarkers
	issuer  string // of the tokens by which users sign in, or ""
	stackID string // key of the ids of some users
	now     func() time.Time
}

// request is an operator's request to erase a user.
type request struct {
	User    string `json:"user"`   // user id, as frames show it, or else a sub claim
	Subject string `json:"sub"`    // instead of User: the sub claim of the user's tokens, in any form
	Issuer  string `json:"iss"`    // of the sub claim, unless it is the one of this stack
	Count   bool   `json:"count"`  // only say what would be removed
	Cursor  string `json:"cursor"` // of the answer before, to go on
	By      string `json:"by"`     // the operator's ARN, as the command claims it, for the record
	Why     string `json:"why"`    // for the record
}

// answer is what was found, and removed unless the request was to count, since the first request.
type answer struct {
	UserID    string `json:"userId"`
	OldUserID string `json:"oldUserId,omitempty"` // of the same user in older versions, erased as well
	Rooms     int    `json:"rooms"`               // in which something names the user; for each id
	Messages  int    `json:"messages"`            // of the user, with their text
	Markers   int    `json:"markers"`             // of what the user has read
	Done      bool   `json:"done"`
	Cursor    string `json:"cursor,omitempty"` // with which to ask again, unless Done
}

// handle erases a user, or counts what an erasure would remove.
func (h *handler) handle(ctx context.Context, event jsontext.Value) (result any, err error) {
	result, err = h.serve(ctx, event)
	if err != nil {
		h.log.ErrorContext(ctx, "erase failed", slog.Any("error", err))
		return nil, err
	}
	return result, nil
}

func (h *handler) serve(ctx context.Context, event jsontext.Value) (result answer, err error) {
	defer logging.Recover(ctx, h.log, &err)
	var read struct {
		Erase *request `json:"erase"`
	}
	if err := json.Unmarshal(event, &read, json.RejectUnknownMembers(true)); err != nil {
		return answer{}, fmt.Errorf("%w: %w", errUnknownEvent, err)
	}
	if read.Erase == nil {
		return answer{}, errUnknownEvent
	}
	return h.erase(ctx, *read.Erase)
}

// erase goes on where the cursor of a request says, until nothing is left or the time is nearly over.
func (h *handler) erase(ctx context.Context, r request) (answer, error) {
	id, old, err := userid.FromRequest(h.stackID, cmp.Or(r.Issuer, h.issuer), r.User, r.Subject)
	switch {
	case err != nil:
		return answer{}, fmt.Errorf("erase: %w", err)
	case id == userid.Pool:
		return answer{}, errors.New("erase: name one guest, not the pool of all guests")
	}
	p := position{User: id, Count: r.Count, Run: strconv.FormatInt(h.now().UnixMilli(), 10)}
	if r.Cursor != "" {
		if p, err = decodePosition(r.Cursor); err != nil {
			return answer{}, err
		}
	}
	if p.User != id || p.Count != r.Count { // mutate:erase-cursor-user
		return answer{}, errors.New("erase: the cursor is that of another request")
	}
	e := erasure{handler: h, position: p, ids: []string{id}, oldID: old}
	if old != "" {
		e.ids = append(e.ids, old)
	}
	if err := e.goOn(ctx); err != nil {
		return answer{}, err
	}
	h.note(ctx, r, e)
	return e.answer()
}

// note logs what was done. The audit line comes with the end of an erasure.
func (h *handler) note(ctx context.Context, r request, e erasure) {
	log, user := h.log.With(slog.Int("removed", e.Messages)), userid.LogAttr(h.salt, e.position.User)
	switch {
	case r.Count:
		h.log.InfoContext(ctx, "messages counted", user)
	case !e.done():
		log.InfoContext(ctx, "erasure goes on", user)
	default:
		logging.Audit(ctx, log, logging.Act{
			Action: "erase", By: cmp.Or(r.By, "unknown"), User: user, Why: r.Why, Connections: 0,
		})
	}
}
