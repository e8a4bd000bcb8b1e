package main

import (
	"github.com/alecthomas/kong"

	"signedsocket/internal/stageclient"
)

const description = `Chat on a terminal. Lines of standard input are sent, messages come on standard output.

In a pipe it leaves when every line has been acknowledged. It reconnects by itself, with a new signed URL each time,
and shows what was said in between.

Some lines are commands; with a space before it, such a line is a message:
  /older    shows earlier messages
  /here     says who is in the room
  /delete   deletes your last message; /delete 2 the one before it, and so on

Exit codes: 0 everything was acknowledged; 1 something failed, and the last line on standard error says what;
2 wrong usage; 3 the stage refused this user or the signed URL.`

// helpTexts holds the values and texts in the tags of the options.
var helpTexts = kong.Vars{
	"outputs":      stageclient.DefaultOutputs,
	"tokenCommand": stageclient.TokenCommandVariable,

	"as":    "User to sign in as. On a local stage any name of a-z, 0-9 and -, up to 32 characters.",
	"guest": "Be a guest, whose name the stage chooses. The stage's AuthMode has to be guest.",
	"name":  "Display name for --sign-locally and --trusted-caller. By default the user.",
	"last":  "Show the last messages of the room first, up to 100. By default 20, and none in a pipe.",
	"once":  "Send this text and leave after its acknowledgement, instead of reading standard input. Repeatable.",
	"load": "Put load on the stage and check every message. Exit codes: 0 every goal was reached; " +
		"1 a goal was missed, and the report names it; 2 and 3 as above.",

	"room": "Room to enter. By default the stage decides; with --sign-locally it is lobby.",
	"signLocally": "Sign with the AWS credentials of this computer instead of asking signurl. " +
		"Their principal has to be in the stage's ExtraSignerArns.",
	"trustedCaller": "Ask signurl with the AWS credentials of this computer, and name the user to it. " +
		"The stage's AuthMode has to be iam, and the principal in its TrustedCallerArns.",
	"token": "Shell command that prints an access token for the user in $" + stageclient.UserVariable + ". " +
		"By default the development issuer of the local stage gives the token.",

	"perUser":     "A stage gives a user ConnectionsPerUser connections, 5 by default, and closes the oldest.",
	"connectRate": "A stage takes SignUrlRate URLs and ConnectRate connections a second, 300 by default.",
	"rate":        "A stage takes MessagesPerWindow messages in 10 s from a connection, 20 by default.",
	"p95": "Goal: 95 % of the messages reach their last receiver in this time, " +
		"counted from the planned time of sending.",
	"size": "The number of the message comes on top.",
	"refused": "Goal: share of messages that the stage may refuse, 0 to 1, 0 by default. " +
		"It is always a goal that no message is lost, doubled, misattributed or invented.",
	"guestLoad": "The clients are guests. The stage's AuthMode has to be guest; " +
		"it takes GuestConnections of them, 100 by default.",
}
