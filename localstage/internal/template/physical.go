package template

import (
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
)

const (
	lowerAlphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789"
	upperAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// name is a physical name, resolved or under resolution.
type name struct {
	text   string
	asking bool // under resolution, to find circles
}

// id makes the id of a resource in the form of AWS's. It depends on nothing but the names of stack and resource, so
// that the files of a stage fit its next run.
func (s *stack) id(logicalID, alphabet string, length int) string {
	// The length tells a resource's kinds of id apart.
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", s.options.StackName, logicalID, length))
	id := make([]byte, length)
	for i := range id {
		id[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return string(id)
}

func (s *stack) stackUUID() string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(s.options.StackName)).String()
}

// name returns a resource's physical name: the one that a property sets, else stack name, logical id and a suffix.
func (s *stack) name(r *resource) (string, error) {
	n := s.names[r.logicalID]
	if n == nil {
		n = &name{asking: true}
		s.names[r.logicalID] = n
		text, err := s.findName(r)
		if err != nil {
			return "", err
		}
		n.text, n.asking = text, false
	}
	if n.asking {
		return "", r.place.errorf("its name refers to itself")
	}
	return n.text, nil
}

func (s *stack) findName(r *resource) (string, error) {
	property, maxLength := nameProperty(r.typ)
	if node := member(r.properties, property); node != nil {
		v, err := s.resolve(node, r.place.field("Properties."+property, node.Line))
		if err != nil {
			return "", err
		}
		if v.kind == scalar {
			return v.text, nil
		}
	}
	if r.typ == typeStage {
		// the transform's name for the stage of an AWS::Serverless::WebSocketApi without StageName
		return "default", nil
	}
	suffix := "-" + s.id(r.logicalID, upperAlphanumeric, 12)
	return clip(s.options.StackName+"-"+r.logicalID, maxLength-len(suffix)) + suffix, nil
}

// nameProperty returns the property that sets a resource's name, and the longest length of a name.
func nameProperty(typ string) (property string, maxLength int) {
	switch typ {
	case typeFunction:
		return "FunctionName", 64
	case typeRole:
		return "RoleName", 64
	case typeTable:
		return "TableName", 255
	case typeLogGroup:
		return "LogGroupName", 512
	case typeStage:
		return "StageName", 128
	case typeRule:
		return "Name", 64
	case typeTopic:
		return "TopicName", 256
	case typeSecret:
		return "Name", 512
	case typeQueue:
		return "QueueName", 80
	}
	return "", 0
}

func clip(text string, length int) string {
	return text[:min(len(text), length)]
}

// resourceARN returns the ARN of a named resource.
func (s *stack) resourceARN(r *resource) (string, error) {
	name, err := s.name(r)
	if err != nil {
		return "", err
	}
	switch r.typ {
	case typeFunction:
		return s.arn("lambda", "function:"+name), nil
	case typeTable:
		return s.arn("dynamodb", "table/"+name), nil
	case typeLogGroup:
		return s.arn("logs", "log-group:"+name+":*"), nil
	case typeTopic:
		return s.arn("sns", name), nil
	case typeRule:
		return s.arn("events", "rule/"+name), nil
	case typeQueue:
		return s.arn("sqs", name), nil
	case typeSecret: // Secrets Manager ends the ARN with six letters of its own
		return s.arn("secretsmanager", "secret:"+name+"-"+s.id(r.logicalID, upperAlphanumeric, 6)), nil
	default: // roles, which have no region
		return "arn:aws:iam::" + s.options.AccountID + ":role/" + name, nil
	}
}
