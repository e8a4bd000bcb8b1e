package main

import (
	"context"
	"errors"
	"fmt"

	"signedsocket/shared/message"
	"signedsocket/shared/roomlog"
)

// erasure is the work on one user.
type erasure struct {
	*handler
	position
	ids   []string // of the user
	oldID string   // the second of them, or ""
}

// goOn works until nothing is left, or the time is nearly over.
func (e *erasure) goOn(ctx context.Context) error {
	for !e.done() {
		if err := e.advance(ctx); err != nil {
			return fmt.Errorf("erase: %w", err)
		}
		if e.timeIsOver(ctx) { // mutate:erase-deadline
			break
		}
	}
	return nil
}

func (e *erasure) done() bool { return e.ID >= len(e.ids) }

func (e *erasure) timeIsOver(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && deadline.Sub(e.now()) < pageTime
}

// advance works on one page of a log, or finds the next room, or ends the work on one of the user's ids.
func (e *erasure) advance(ctx context.Context) error {
	if e.Working {
		return e.page(ctx)
	}
	room, err := e.rooms.NextRoom(ctx, e.Room)
	if err != nil {
		return err
	}
	if room != "" {
		e.Room, e.Working, e.Found, e.Behind, e.First = room, true, false, 0, 0
		e.Step = roomlog.RemoveTexts
		if e.Count { // mutate:erase-count
			e.Step = roomlog.Count
		}
		return nil
	}
	markers, err := e.markers.Remove(ctx, e.ids[e.ID], e.Count)
	if err != nil {
		return err
	}
	e.Markers += markers
	e.ID, e.Room = e.ID+1, ""
	return nil
}

// page does the present step for one page of the room's log. When all texts are gone, a note tells clients that the
// user was erased. Only then do the user's id and name go: they are what a later erasure finds if this one ends early.
func (e *erasure) page(ctx context.Context) error {
	page, err := e.rooms.Erase(ctx, e.Room, e.ids[e.ID], e.Behind, e.Step)
	if err != nil {
		return err
	}
	if e.Step != roomlog.RemoveNames {
		if page.Entries > 0 && !e.Found {
			e.Found, e.First = true, e.Behind
		}
		e.Messages += page.Messages
	}
	e.Behind = page.Next
	switch {
	case page.More:
	case e.Step == roomlog.RemoveTexts && e.Found:
		if err := e.tell(ctx); err != nil { // mutate:erase-told
			return err
		}
		e.Step, e.Behind = roomlog.RemoveNames, e.First
	default:
		e.Working = false
		if e.Found {
			e.Rooms++
		}
	}
	return nil
}

// tell appends the note that the user was erased to the room's log. The same erasure makes the same note.
func (e *erasure) tell(ctx context.Context) error {
	id := e.ids[e.ID]
	_, _, err := e.rooms.Append(ctx, e.rooms.Look(ctx, e.Room, roomlog.NotKnown), roomlog.Entry{
		ID: message.ErasureIDFor(id, e.Room, e.Run), Erased: message.ErasedHash(e.Room, id), At: e.now(),
	})
	if errors.Is(err, roomlog.ErrOff) { // with HistoryDays 0 no client reads the log
		return nil
	}
	return err
}

// answer returns what was found so far, and the cursor if something is left.
func (e *erasure) answer() (answer, error) {
	found := answer{
		UserID: e.ids[0], OldUserID: e.oldID, Rooms: e.Rooms, Messages: e.Messages, Markers: e.Markers, Done: e.done(),
	}
	if found.Done {
		return found, nil
	}
	var err error
	found.Cursor, err = e.encode()
	return found, err
}
