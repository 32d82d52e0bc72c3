// Package shell is the loop that the Go drivers share: a command as a JSON line in, events as JSON lines out.
package shell

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Pair is a header: a name and a value.
type Pair struct {
	Name  string
	Value *string
}

func (p *Pair) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&p.Name, &p.Value})
}

// Record is one to be written.
type Record struct {
	Partition  int32
	Key, Value *string
	Headers    []Pair
}

func (r *Record) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&r.Partition, &r.Key, &r.Value, &r.Headers})
}

// Command is a line of input; which fields are set depends on Do.
type Command struct {
	Do         string            `json:"do"`
	Bootstrap  string            `json:"bootstrap"`
	Topic      string            `json:"topic"`
	Partitions json.RawMessage   `json:"partitions"`
	Configs    map[string]string `json:"configs"`
	Codec      string            `json:"codec"`
	Idempotent bool              `json:"idempotent"`
	PaceMs     int               `json:"pace_ms"`
	Records    []Record          `json:"records"`
	Group      string            `json:"group"`
	Expect     int               `json:"expect"`
	Until      string            `json:"until"`
}

// PartitionCount is what "create" is given.
func (c *Command) PartitionCount() (count int32) {
	_ = json.Unmarshal(c.Partitions, &count)
	return count
}

// PartitionList is what "consume" is given.
func (c *Command) PartitionList() (list []int32) {
	_ = json.Unmarshal(c.Partitions, &list)
	return list
}

// Pace waits as long as the command wants between two records.
func (c *Command) Pace() { time.Sleep(time.Duration(c.PaceMs) * time.Millisecond) }

// AskedToLeave tells whether a member should go.
func (c *Command) AskedToLeave() bool {
	_, err := os.Stat(c.Until)
	return err == nil
}

var lock sync.Mutex

func emit(name string, value any) {
	line, _ := json.Marshal(map[string]any{name: value})
	lock.Lock()
	defer lock.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

// Bytes is the text as bytes, nil if it is null.
func Bytes(text *string) []byte {
	if text == nil {
		return nil
	}
	return []byte(*text)
}

func text(data []byte) any {
	if data == nil {
		return nil
	}
	return string(data)
}

// Ack tells that the record with this index is on the broker.
func Ack(index int, partition int32, offset int64) { emit("ack", []any{index, partition, offset}) }

// Assigned tells which partitions a member has now.
func Assigned[T any](partitions []T) {
	if partitions == nil {
		partitions = []T{}
	}
	emit("assigned", partitions)
}

// Header is one of a record that was read.
type Header struct {
	Name  string
	Value []byte
}

// Read tells of a record that was read.
func Read(partition int32, offset int64, key, value []byte, headers []Header) {
	pairs := [][]any{}
	for _, h := range headers {
		pairs = append(pairs, []any{h.Name, text(h.Value)})
	}
	emit("record", []any{partition, offset, text(key), text(value), pairs})
}

// Serve runs the commands until the input ends.
func Serve(commands map[string]func(*Command) error) {
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var command Command
		err = json.Unmarshal(line, &command)
		if err == nil {
			err = commands[command.Do](&command)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			emit("error", err.Error())
		} else {
			emit("done", true)
		}
	}
}
