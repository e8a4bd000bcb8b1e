package main

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
	"signedsocket/shared/roomlog"
	"signedsocket/shared/userid"
)

const (
	longestRoom = 32 // bytes of a room's name
	// busyPause is when a client tries again after the log of a room was too busy for the message.
	busyPause = 2 * time.Second
)

// history numbers and stores the messages of rooms; roomlog.Log does.
type history interface {
	Look(ctx context.Context, room string, after int64) roomlog.Look
	Append(ctx context.Context, look roomlog.Look, e roomlog.Entry) (stored roomlog.Entry, duplicate bool, err error)
	Delete(ctx context.Context, room string, note roomlog.Entry, moderator bool) (stored roomlog.Entry, err error)
}

// countAndLook counts the frame, and reads the end of the room's log meanwhile, if the frame names its room. The
// handler uses what it has read only if the sender is in that room.
func (c client) countAndLook(
	ctx context.Context, frame message.Send, now time.Time,
) (sender connections.Connection, look *roomlog.Look, err error) {
	var reading sync.WaitGroup
	var broken error
	if c.history != nil && userid.IsWord(frame.Room, longestRoom) {
		reading.Go(func() {
			defer logging.Recover(ctx, c.Log, &broken)
			read := c.history.Look(ctx, frame.Room, positionOf(frame))
			look = &read
		})
	}
	sender, err = c.connections.Touch(ctx, c.ID, now)
	reading.Wait()
	return sender, look, cmp.Or(err, broken)
}

// positionOf returns the number up to which the sender of a frame has seen the room.
func positionOf(frame message.Send) int64 {
	if frame.After == nil {
		return roomlog.NotKnown
	}
	return *frame.After
}

// store gives a message its number, and stores it. It returns the message as it was stored first: a resend may have
// another text. Without history it returns the message as it is.
func (c client) store(
	ctx context.Context, look *roomlog.Look, frame message.Send, sent message.Message,
) (stored message.Message, deleted bool, err error) {
	if c.history == nil {
		return sent, false, nil
	}
	if look == nil {
		read := c.history.Look(ctx, sent.Room, positionOf(frame))
		look = &read
	}
	entry, _, err := c.history.Append(ctx, *look, roomlog.Entry{
		ID: sent.ID, Subject: sent.From.Subject, Name: sent.From.Name, Text: sent.Text, At: sent.SentAt,
	})
	return message.Message{
		ID: entry.ID, Seq: entry.Seq, Room: sent.Room, Text: entry.Text, SentAt: entry.At,
		From: message.Sender{Subject: entry.Subject, Name: entry.Name},
	}, entry.Deleted, err
}

// refuseUnstored answers a message that the log did not take, or a deletion. Every other error is a fault, and is
// returned.
func (c client) refuseUnstored(
	ctx context.Context, sender connections.Connection, clientID string, err error,
) error {
	switch {
	case errors.Is(err, roomlog.ErrAhead): // no client has seen such a number
		return c.Strike(ctx, message.Error{Code: message.BadMessage, ClientID: clientID})
	case errors.Is(err, roomlog.ErrFarBehind):
		return c.Refuse(ctx, message.Error{Code: message.FarBehind, ClientID: clientID})
	case errors.Is(err, roomlog.ErrNotFound):
		return c.Refuse(ctx, message.Error{Code: message.NotFound, ClientID: clientID})
	case errors.Is(err, roomlog.ErrNotYours):
		return c.Refuse(ctx, message.Error{Code: message.NotYours, ClientID: clientID})
	case errors.Is(err, roomlog.ErrBusy):
		code := message.Busy
		if sender.Protocol < 2 { // clients of chat.v1 do not know that code, and wait after this one
			code = message.RateLimited
		}
		return c.Refuse(ctx, message.Error{Code: code, ClientID: clientID, RetryAfter: busyPause})
	}
	return err
}
