package connections

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/userid"
)

// item is an item, or the key of one, as the DynamoDB client takes it.
type item = dynamo.Item

func connectionKey(connectionID string) item {
	return item{"pk": dynamo.Text("CONN#" + connectionID), "sk": dynamo.Text("CONN")}
}

func membershipKey(membership Membership, connectionID string) item {
	return item{"pk": dynamo.Text(roomPartition(membership.Room, membership.Shard)), "sk": dynamo.Text(connectionID)}
}

func roomPartition(room string, shard int) string {
	return "ROOM#" + room + "#" + strconv.Itoa(shard)
}

func ticketKey(ticket string) item {
	return item{"pk": dynamo.Text("TICKET#" + ticket), "sk": dynamo.Text("TICKET")}
}

// userKey returns the key of the item under which a user's connections are counted. Guests share one.
func userKey(subject string) item {
	return item{"pk": dynamo.Text("USER#" + userid.CountedAs(subject)), "sk": dynamo.Text("USER")}
}

// The keys of the counts of each user. A guest is a user here: the pool has no counts of a single guest.
func rateKey(subject string) item {
	return item{"pk": dynamo.Text("RATE#" + subject), "sk": dynamo.Text("RATE")}
}
func kickKey(subject string) item {
	return item{"pk": dynamo.Text("KICK#" + subject), "sk": dynamo.Text("KICK")}
}
func urlsKey(subject string) item {
	return item{"pk": dynamo.Text("SIGN#" + subject), "sk": dynamo.Text("SIGN")}
}

// banKey returns the key in the table Bans.
func banKey(id string) item { return item{"id": dynamo.Text(id)} }

// signInPrefix begins the keys that stand for a sign-in and not for a user. No user id holds its last character.
const signInPrefix = "signin#"

func signInID(signIn string) string { return signInPrefix + signIn }

func isSignIn(id string) bool { return strings.HasPrefix(id, signInPrefix) }

// reaperKey returns the key of the item with the reaper's progress.
func reaperKey() item { return item{"pk": dynamo.Text("REAPER"), "sk": dynamo.Text("REAPER")} }

// entryPrefix begins the names of the USER item's attributes that stand for one connection each.
const entryPrefix = "c_"

func entryName(connectionID string) string { return entryPrefix + connectionID }

// instancePrefix begins the names of the attributes with the client that opened a connection.
const instancePrefix = "i_"

func instanceName(connectionID string) string { return instancePrefix + connectionID }

// millisecondDigits is how many digits a Unix time in milliseconds has, until the year 2286.
const millisecondDigits = 13

// entry is one connection in a USER item.
type entry struct {
	sx          int64 // end of the session, Unix seconds
	connectedAt int64 // Unix milliseconds
}

// value returns the entry as one number: sx before the decimal point, connectedAt behind it.
func (e entry) value() types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprintf("%d.%0*d", e.sx, millisecondDigits, e.connectedAt)}
}

// entryOf reads an entry of a USER item. DynamoDB removes zeros from the end of a number.
func entryOf(user item, name string) entry {
	value, ok := user[name].(*types.AttributeValueMemberN)
	if !ok {
		return entry{}
	}
	seconds, fraction, _ := strings.Cut(value.Value, ".")
	fraction += strings.Repeat("0", max(0, millisecondDigits-len(fraction)))
	var e entry
	e.sx, _ = strconv.ParseInt(seconds, 10, 64)
	e.connectedAt, _ = strconv.ParseInt(fraction, 10, 64)
	return e
}

// compare orders entries by the end of the session and, when sessions end in the same second, by age.
func (e entry) compare(other entry) int {
	return cmp.Or(cmp.Compare(e.sx, other.sx), cmp.Compare(e.connectedAt, other.connectedAt))
}

// shardOf returns the shard in which a connection is listed, the same in all of its rooms.
func shardOf(connectionID string, shards int) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(connectionID))   // hash.Hash never returns an error
	return int(hash.Sum32() % uint32(shards)) //nolint:gosec // RoomShards is 1 to 32
}

// with returns a new item of a key and attributes.
func with(key, attributes item) item {
	merged := make(item, len(key)+len(attributes))
	for name, value := range key {
		merged[name] = value
	}
	for name, value := range attributes {
		merged[name] = value
	}
	return merged
}

func encodeRooms(rooms []Membership) types.AttributeValue {
	list := &types.AttributeValueMemberL{Value: make([]types.AttributeValue, len(rooms))}
	for i, membership := range rooms {
		element := item{"room": dynamo.Text(membership.Room), "shard": dynamo.Number(int64(membership.Shard))}
		if membership.ReadOnly {
			element["ro"] = dynamo.Number(1)
		}
		list.Value[i] = &types.AttributeValueMemberM{Value: element}
	}
	return list
}

// decodeConnection reads a CONN item. An item without an attribute that Connect writes is a fault.
func decodeConnection(connectionID string, conn item) (Connection, error) {
	rooms, err := decodeRooms(conn)
	sx, okEnd := dynamo.NumberOf(conn, "sx")
	connectedAt, okStart := dynamo.NumberOf(conn, "connectedAt")
	subject := dynamo.TextOf(conn, "sub")
	if err != nil || !okEnd || !okStart || subject == "" {
		return Connection{}, fmt.Errorf("item of connection %s is incomplete", connectionID)
	}
	_, moderator := dynamo.NumberOf(conn, "md")
	return Connection{
		ID: connectionID, Subject: subject, Name: dynamo.TextOf(conn, "nm"), Rooms: rooms,
		Protocol: protocolOf(conn), SignIn: dynamo.TextOf(conn, "si"), Moderator: moderator,
		SessionEndsAt: time.Unix(sx, 0).UTC(), ConnectedAt: time.UnixMilli(connectedAt).UTC(),
	}, nil
}

// protocolOf returns the protocol of a CONN item. Items of chat.v1 do not name it, nor do those of versions before
// chat.v2.
func protocolOf(from item) int {
	if v, ok := dynamo.NumberOf(from, "v"); ok {
		return int(v)
	}
	return 1
}

func decodeRooms(conn item) ([]Membership, error) {
	list, ok := conn["rooms"].(*types.AttributeValueMemberL)
	if !ok {
		return nil, fmt.Errorf("attribute rooms is no list")
	}
	rooms := make([]Membership, 0, len(list.Value))
	for _, element := range list.Value {
		member, ok := element.(*types.AttributeValueMemberM)
		if !ok {
			return nil, fmt.Errorf("attribute rooms holds something else than maps")
		}
		shard, ok := dynamo.NumberOf(member.Value, "shard")
		room := dynamo.TextOf(member.Value, "room")
		if !ok || room == "" {
			return nil, fmt.Errorf("attribute rooms holds an incomplete map")
		}
		_, readOnly := dynamo.NumberOf(member.Value, "ro")
		rooms = append(rooms, Membership{Room: room, Shard: int(shard), ReadOnly: readOnly})
	}
	return rooms, nil
}
