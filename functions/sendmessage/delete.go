package main

import (
	"context"
	"log/slog"

	"signedsocket/shared/connections"
	"signedsocket/shared/message"
	"signedsocket/shared/roomlog"
	"signedsocket/shared/userid"
)

// delete deletes a message of the client, or, if the client is a moderator, anybody's. First the text goes, then a note
// is stored, and then the members hear of it. The client is acknowledged when nothing holds the text any more.
func (c client) delete(ctx context.Context, body string) error {
	frame, code := message.DecodeDelete(body)
	if code != "" {
		return c.Strike(ctx, message.Error{Code: code, ClientID: frame.ClientID})
	}
	now := c.now()
	sender, err := c.connections.Touch(ctx, c.ID, now)
	if err != nil {
		return c.RefuseFor(ctx, frame.ClientID, err)
	}
	if code := mayDelete(sender, frame.Room); code != "" {
		return c.Strike(ctx, message.Error{Code: code, ClientID: frame.ClientID})
	}
	note, err := c.removeMessage(ctx, sender, frame, roomlog.Entry{
		ID:      message.NoteIDFor(sender.Subject, frame.Room, frame.Seq),
		Subject: sender.Subject, Name: sender.Name, Of: frame.Seq, At: now,
	})
	if err != nil {
		return c.refuseUnstored(ctx, sender, frame.ClientID, err)
	}
	encoded, err := message.Deleted{
		Room: frame.Room, Seq: note.Seq, Of: note.Of, SentAt: note.At,
		From: message.Sender{Subject: note.Subject, Name: note.Name},
	}.Encode()
	if err != nil {
		return err
	}
	ack := message.Ack{ID: note.ID, Seq: note.Seq, ClientID: frame.ClientID}
	return c.broadcast(ctx, sender, posting{encoded, frame.Room, now, c.membersOfV2}, ack)
}

// mayDelete returns the code with which a deletion in a room is refused, or "". It does not say whether the message is
// the sender's.
func mayDelete(sender connections.Connection, room string) message.Code {
	switch {
	case sender.Protocol < 2: // mutate:delete-protocol
		return message.UnknownAction
	case !sender.In(room): // mutate:delete-foreign-room
		return message.RoomNotAllowed
	case !sender.MayWrite(room): // mutate:delete-read-only
		return message.ReadOnly
	}
	return ""
}

// removeMessage deletes a message from the log, and returns the note about it.
func (c client) removeMessage(
	ctx context.Context, sender connections.Connection, frame message.Delete, note roomlog.Entry,
) (roomlog.Entry, error) {
	if c.history == nil {
		return roomlog.Entry{}, roomlog.ErrNotFound
	}
	// mutate:delete-moderator => stored, err := c.history.Delete(ctx, frame.Room, note, true)
	stored, err := c.history.Delete(ctx, frame.Room, note, sender.Moderator)
	if err != nil {
		return roomlog.Entry{}, err
	}
	c.Log.InfoContext(ctx, "message deleted", slog.String("room", frame.Room),
		slog.Bool("moderator", sender.Moderator), userid.LogAttr(c.callers.Salt, sender.Subject))
	return stored, nil
}
