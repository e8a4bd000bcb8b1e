package stageclient

import (
	"context"
	"encoding/json"
	"fmt"
)

// Outgoing is a message to send. Room may be empty on a connection with one room. ID may always be empty; with an ID, a
// message that is sent twice arrives once.
type Outgoing struct {
	Text string `json:"message"`
	Room string `json:"room,omitempty"`
	ID   string `json:"id,omitempty"` // at most 36 characters

	// After says that the sender has seen every entry of the room's log up to here, and that this message is not among
	// them. nil says nothing. Only a connection with ProtocolWithHistory takes it.
	After *int64 `json:"after,omitempty"`
}

// Send sends a message.
func (c *Conn) Send(ctx context.Context, m Outgoing) error {
	return c.sendJSON(ctx, struct {
		Action string `json:"action"`
		Outgoing
	}{"sendmessage", m})
}

// History asks for parts of the logs of one to eight rooms, each room once. A [History] frame answers each want; one
// [Synced] frame answers all wants that have nothing to tell. The answers carry id, which may be empty. Only a
// connection with [ProtocolWithHistory] takes the request.
func (c *Conn) History(ctx context.Context, id string, wants ...Want) error {
	return c.Ask(ctx, Question{ID: id, Wants: wants})
}

// Question is a request for history, for the users in rooms, and to keep what the user has read. At least one of
// Wants, Here and Read has an element, and none has more than eight.
type Question struct {
	Wants []Want           `json:"want,omitempty"`
	Here  []string         `json:"here,omitempty"` // rooms; a [Presence] frame answers each
	Read  map[string]int64 `json:"read,omitempty"` // by room: the newest number that the user has read
	ID    string           `json:"id,omitempty"`
}

// Ask sends a question. Without Wants and Here a [Synced] frame answers it. Only a connection with
// [ProtocolWithHistory] takes it.
func (c *Conn) Ask(ctx context.Context, q Question) error {
	return c.sendJSON(ctx, struct {
		Action string `json:"action"`
		Question
	}{"history", q})
}

// Ping asks for a [Pong].
func (c *Conn) Ping(ctx context.Context) error {
	return c.SendText(ctx, `{"action":"ping"}`)
}

// Delete deletes a message and waits for the answer; it drops all other frames. A refusal is an [Error]. Only a
// connection with [ProtocolWithHistory] takes the request.
func (c *Conn) Delete(ctx context.Context, room string, seq int64) (Ack, error) {
	id := fmt.Sprint("delete-", seq)
	if err := c.SendDelete(ctx, room, seq, id); err != nil {
		return Ack{}, fmt.Errorf("delete: %w", err)
	}
	for {
		frame, err := c.Next(ctx)
		if err != nil {
			return Ack{}, fmt.Errorf("delete: %w", err)
		}
		switch f := frame.(type) {
		case Ack:
			if f.ClientID == id {
				return f, nil
			}
		case Error:
			if f.ClientID == id || f.ClientID == "" {
				return Ack{}, fmt.Errorf("delete: %w", f)
			}
		case GatewayError:
			return Ack{}, fmt.Errorf("delete: API Gateway answered: %s", f.Text)
		}
	}
}

// SendDelete asks to delete a message, and does not wait for the answer. That is an [Ack] or an [Error] with id, which
// may be empty.
func (c *Conn) SendDelete(ctx context.Context, room string, seq int64, id string) error {
	return c.sendJSON(ctx, struct {
		Action string `json:"action"`
		Room   string `json:"room"`
		Seq    int64  `json:"seq"`
		ID     string `json:"id,omitempty"`
	}{"delete", room, seq, id})
}

func (c *Conn) sendJSON(ctx context.Context, frame any) error {
	data, err := json.Marshal(frame)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return c.SendText(ctx, string(data))
}
