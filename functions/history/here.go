package main

import (
	"context"
	"log/slog"
	"sync"

	"signedsocket/shared/broadcast"
	"signedsocket/shared/connections"
	"signedsocket/shared/logging"
	"signedsocket/shared/message"
	"signedsocket/shared/presence"
)

// rosters knows who is in the rooms; presence.Rooms does.
type rosters interface {
	Ask(ctx context.Context, room string, from presence.Asker) (presence.Answer, error)
	Post(ctx context.Context, push *presence.Push) (broadcast.Result, error)
}

// tellWhoIsThere answers a client that asks who is in rooms of its connection, all rooms at the same time, and tells
// others when the client's user has joined. A failure is only logged: the client has its messages, and the next tick
// of presence tells all members.
func (c client) tellWhoIsThere(ctx context.Context, from connections.Connection, rooms []string) {
	if c.rosters == nil { // presence is off
		return
	}
	asker := presence.Asker{
		ConnectionID: from.ID, User: message.Sender{Subject: from.Subject, Name: from.Name},
	}
	var asked sync.WaitGroup
	for _, room := range rooms {
		asked.Go(func() {
			if err := c.tell(ctx, room, asker); err != nil {
				c.Log.ErrorContext(ctx, "presence failed", slog.Any("error", err))
			}
		})
	}
	asked.Wait()
}

func (c client) tell(ctx context.Context, room string, asker presence.Asker) (err error) {
	defer logging.Recover(ctx, c.Log, &err)
	answer, err := c.rosters.Ask(ctx, room, asker)
	if err != nil || answer.Frame == nil {
		return err
	}
	if err := c.Answer(ctx, answer.Frame); err != nil {
		return err
	}
	if answer.Push == nil {
		return nil
	}
	// Members that are gone or do not read are left to presence, whose role may remove them.
	_, err = c.rosters.Post(ctx, answer.Push)
	return err
}
