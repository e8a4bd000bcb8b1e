package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
	"signedsocket/shared/roomlog"
)

// busyPause is when a client tries again after the table was too busy to be read.
const busyPause = 2 * time.Second

// logs reads the logs of rooms; roomlog.Log does.
type logs interface {
	After(ctx context.Context, room string, after int64) (roomlog.Page, error)
	Before(ctx context.Context, room string, before int64, limit int) (roomlog.Page, error)
	Last(ctx context.Context, room string, limit int) (roomlog.Page, error)
}

// encoder is an answer to a request.
type encoder interface{ Encode() ([]byte, error) }

// readMarkers stores what users have read; markers.Store does.
type readMarkers interface {
	Get(ctx context.Context, user, room string) (int64, error)
	Raise(ctx context.Context, user, room string, seq int64) (int64, error)
}

// look is a part of a room's log that is read for a request, and the user's marker in the room.
type look struct {
	message.Want
	answered bool // with a history frame, unless the client has everything
	page     roomlog.Page
	read     int64 // 0 if there is no marker
}

// read returns the answers to a request: a history frame for each room of which there is something to tell, and one
// synced frame for the others.
func (h *handler) read(ctx context.Context, user string, request message.HistoryRequest) ([]encoder, error) {
	looks := looksFor(request)
	if err := h.readAll(ctx, user, request.Read, looks); err != nil {
		return nil, err
	}
	var answers []encoder
	synced := message.Synced{ClientID: request.ClientID, Heads: make(map[string]int64), Read: make(map[string]int64)}
	for _, l := range looks {
		switch {
		case l.answered && !h.hasAll(l.Want, l.page):
			answers = append(answers, h.history(l, request.ClientID))
		case l.answered || len(request.Wants) == 0:
			synced.Heads[l.Room] = l.page.Head
			if l.read > 0 {
				synced.Read[l.Room] = l.read
			}
		}
	}
	if len(synced.Heads) > 0 {
		answers = append(answers, synced)
	}
	return answers, nil
}

// looksFor returns what is read for a request. Of a room that the client does not want, and in which its user has read
// something, only the newest number matters.
func looksFor(request message.HistoryRequest) []look {
	var looks []look
	wanted := make(map[string]bool)
	for _, want := range request.Wants {
		looks, wanted[want.Room] = append(looks, look{Want: want, answered: true}), true
	}
	for _, room := range slices.Sorted(maps.Keys(request.Read)) {
		if !wanted[room] {
			looks = append(looks, look{Want: message.Want{Room: room, Part: message.Last, Limit: 1}})
		}
	}
	return looks
}

// hasAll reports whether the client has everything in a room.
func (h *handler) hasAll(want message.Want, page roomlog.Page) bool {
	return h.keepDays > 0 && want.Part == message.After && len(page.Entries) == 0 && page.Complete && !page.More
}

// readAll reads what is looked for, all rooms, at most sixteen, at the same time.
func (h *handler) readAll(ctx context.Context, user string, newlyRead map[string]int64, looks []look) error {
	reading, ctx := errgroup.WithContext(ctx)
	for i := range looks {
		l := &looks[i]
		seq, moves := newlyRead[l.Room]
		reading.Go(func() (err error) {
			defer logging.Recover(ctx, h.log, &err)
			if l.page, err = h.readPage(ctx, l.Want); err != nil || !moves {
				return err
			}
			return h.raise(ctx, user, seq, l)
		})
		if !moves && l.Part != message.Before && h.keepDays > 0 { // who scrolls back knows the marker
			reading.Go(func() (err error) {
				defer logging.Recover(ctx, h.log, &err)
				l.read, err = h.markers.Get(ctx, user, l.Room)
				return err
			})
		}
	}
	err := reading.Wait()
	for i := range looks {
		looks[i].read = min(looks[i].read, looks[i].page.Head)
	}
	return err
}

func (h *handler) readPage(ctx context.Context, want message.Want) (page roomlog.Page, err error) {
	switch want.Part {
	case message.After:
		page, err = h.rooms.After(ctx, want.Room, want.Number)
	case message.Before:
		page, err = h.rooms.Before(ctx, want.Room, want.Number, want.Limit)
	case message.Last:
		page, err = h.rooms.Last(ctx, want.Room, want.Limit)
	}
	return page, err
}

// raise moves the user's marker in a room that was read. No user has read more than there is.
func (h *handler) raise(ctx context.Context, user string, seq int64, l *look) (err error) {
	seq = min(seq, l.page.Head) // mutate:marker-cut => seq = max(seq, 0)
	switch {
	case h.keepDays == 0:
	case seq == 0:
		l.read, err = h.markers.Get(ctx, user, l.Room)
	default:
		l.read, err = h.markers.Raise(ctx, user, l.Room, seq)
	}
	return err
}

// history returns the frame with a page.
func (h *handler) history(l look, clientID string) message.History {
	entries := make([]message.Entry, len(l.page.Entries))
	for i, e := range l.page.Entries {
		entries[i] = message.Entry{
			Seq: e.Seq, ID: e.ID, From: message.Sender{Subject: e.Subject, Name: e.Name}, Text: e.Text, SentAt: e.At,
			Deleted: e.Deleted, Of: e.Of, Erased: e.Erased,
		}
	}
	return message.History{
		Want: l.Want, ClientID: clientID, Entries: entries, Head: l.page.Head, Complete: l.page.Complete,
		More: l.page.More, KeepDays: h.keepDays, Read: l.read,
	}
}

// refuseUnread answers a request for which the logs could not be read. Every other error is a fault, and is returned.
func (c client) refuseUnread(ctx context.Context, clientID string, err error) error {
	switch {
	case errors.Is(err, roomlog.ErrAhead): // no client has seen such a number
		return c.Strike(ctx, message.Error{Code: message.BadMessage, ClientID: clientID})
	case errors.Is(err, roomlog.ErrBusy), dynamo.IsThrottled(err):
		return c.Refuse(ctx, message.Error{Code: message.Busy, ClientID: clientID, RetryAfter: busyPause})
	}
	return err
}
