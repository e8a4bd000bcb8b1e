package stageclient

// Event is what a [Follower] tells: [Entered], [Told], [Missing], [CaughtUp] or [Older].
type Event interface{ event() }

// Entered says that the client follows a room for the first time, from behind a place in the log on.
type Entered struct {
	Room     string
	Position int64 // 0: from the beginning
}

// Told is an entry of a room that the client did not have. The entries of a room come in the order of its log. Entries
// without a number, or on a connection without history, come in the order of arrival. After an entry with Of or Erased
// the client must not show the messages that were deleted; it may have been told their texts before. The follower tells
// no text that it knows to be deleted.
type Told struct {
	Room  string
	Entry Entry
	Live  bool // it came as a message, not from the log
}

// Missing says that the client cannot get the entries between two numbers: they have expired, or they are too many. It
// comes before the entry with the number Before.
type Missing struct {
	Room          string
	After, Before int64 // Before is 0 when no newer entry exists
}

// CaughtUp says that the client has everything of a room, for the first time on the present connection.
type CaughtUp struct {
	Room     string
	Missed   int // entries that came from the log since the last connection was lost
	KeepDays int // how long messages are kept; 0: the stage keeps no history

	// Read is the newest number that the user had read when the stage answered, on any device; 0: not known.
	Read int64
}

// Older holds entries before those that the client has, in answer to the want of [Follower.OlderWant].
type Older struct {
	Room    string
	Entries []Entry // ascending
	More    bool    // there are older ones
}

func (Entered) event()  {}
func (Told) event()     {}
func (Missing) event()  {}
func (CaughtUp) event() {}
func (Older) event()    {}
