package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

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

// read returns the answers to a request: a history frame for each room of which there is something to tell, and one
// synced frame for the others.
func (h *handler) read(ctx context.Context, request message.HistoryRequest) ([]encoder, error) {
	wants := request.Wants
	if len(wants) == 0 { // the client has only named what the user has read
		for _, room := range slices.Sorted(maps.Keys(request.Read)) {
			wants = append(wants, message.Want{Room: room, Part: message.Last, Limit: 1})
		}
	}
	pages, err := h.readPages(ctx, wants)
	if err != nil {
		return nil, err
	}
	var answers []encoder
	heads := make(map[string]int64)
	for i, want := range wants {
		if len(request.Wants) == 0 || h.hasAll(want, pages[i]) {
			heads[want.Room] = pages[i].Head
			continue
		}
		answers = append(answers, h.history(want, request.ClientID, pages[i]))
	}
	if len(heads) > 0 {
		answers = append(answers, message.Synced{ClientID: request.ClientID, Heads: heads})
	}
	return answers, nil
}

// hasAll reports whether the client has everything in a room.
func (h *handler) hasAll(want message.Want, page roomlog.Page) bool {
	return h.keepDays > 0 && want.Part == message.After && len(page.Entries) == 0 && page.Complete && !page.More
}

// readPages reads what is wanted, all rooms, at most eight, at the same time.
func (h *handler) readPages(ctx context.Context, wants []message.Want) ([]roomlog.Page, error) {
	pages := make([]roomlog.Page, len(wants))
	reading, ctx := errgroup.WithContext(ctx)
	for i, want := range wants {
		reading.Go(func() (err error) {
			defer logging.Recover(ctx, h.log, &err)
			switch want.Part {
			case message.After:
				pages[i], err = h.rooms.After(ctx, want.Room, want.Number)
			case message.Before:
				pages[i], err = h.rooms.Before(ctx, want.Room, want.Number, want.Limit)
			case message.Last:
				pages[i], err = h.rooms.Last(ctx, want.Room, want.Limit)
			}
			return err
		})
	}
	return pages, reading.Wait()
}

// history returns the frame with a page.
func (h *handler) history(want message.Want, clientID string, page roomlog.Page) message.History {
	entries := make([]message.Entry, len(page.Entries))
	for i, e := range page.Entries {
		entries[i] = message.Entry{
			Seq: e.Seq, ID: e.ID, From: message.Sender{Subject: e.Subject, Name: e.Name}, Text: e.Text, SentAt: e.At,
			Deleted: e.Deleted, Of: e.Of, Erased: e.Erased,
		}
	}
	return message.History{
		Want: want, ClientID: clientID, Entries: entries, Head: page.Head, Complete: page.Complete, More: page.More,
		KeepDays: h.keepDays,
	}
}

// refuseUnread answers a request for which the logs could not be read. Every other error is a fault, and is returned.
func (c client) refuseUnread(ctx context.Context, clientID string, err error) error {
	switch {
	case errors.Is(err, roomlog.ErrAhead): // no client has seen such a number
		return c.Strike(ctx, message.Error{Code: message.BadMessage, ClientID: clientID})
	case errors.Is(err, roomlog.ErrBusy):
		return c.Refuse(ctx, message.Error{Code: message.Busy, ClientID: clientID, RetryAfter: busyPause})
	}
	return err
}
