// The driver around segmentio/kafka-go. Its Reader speaks the oldest versions of the group requests without asking.
package main

import (
	"context"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"barnabas.interop/shell"
)

func create(c *shell.Command) error {
	connection, err := kafka.Dial("tcp", c.Bootstrap)
	if err != nil {
		return err
	}
	defer connection.Close()
	topic := kafka.TopicConfig{Topic: c.Topic, NumPartitions: int(c.PartitionCount()), ReplicationFactor: 1}
	for name, value := range c.Configs {
		topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	return connection.CreateTopics(topic)
}

var codecs = map[string]kafka.Compression{"gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}

type tag struct {
	index     int
	partition int
}

// byPartition sends a message to the partition that its WriterData names.
func byPartition(m kafka.Message, _ ...int) int { return m.WriterData.(tag).partition }

func produce(c *shell.Command) error {
	// Of its own: the shared transport would go on believing for seconds that a new topic is not there.
	transport := &kafka.Transport{MetadataTTL: 500 * time.Millisecond}
	defer transport.CloseIdleConnections()
	writer := &kafka.Writer{
		Transport: transport,
		Addr:      kafka.TCP(c.Bootstrap), Topic: c.Topic, Balancer: kafka.BalancerFunc(byPartition), RequiredAcks: kafka.RequireAll,
		Compression: codecs[c.Codec], BatchTimeout: 20 * time.Millisecond, MaxAttempts: 300, Async: true,
		WriteBackoffMin: 100 * time.Millisecond, WriteBackoffMax: 300 * time.Millisecond,
	}
	// The Writer does not try again what found no leader, so this program does, as any that cares has to.
	again := make(chan kafka.Message, len(c.Records))
	var open sync.WaitGroup
	open.Add(len(c.Records))
	var failed error
	writer.Completion = func(messages []kafka.Message, err error) {
		for _, m := range messages {
			if err == nil {
				shell.Ack(m.WriterData.(tag).index, int32(m.Partition), m.Offset)
				open.Done()
			} else {
				again <- kafka.Message{Key: m.Key, Value: m.Value, Headers: m.Headers, WriterData: m.WriterData}
			}
		}
	}
	ctx, done := context.WithTimeout(context.Background(), 100*time.Second)
	defer done()
	go func() {
		for message := range again {
			time.Sleep(100 * time.Millisecond)
			if failed = writer.WriteMessages(ctx, message); failed != nil {
				open.Done()
			}
		}
	}()
	for index, r := range c.Records {
		message := kafka.Message{Key: shell.Bytes(r.Key), Value: shell.Bytes(r.Value), WriterData: tag{index, int(r.Partition)}}
		for _, h := range r.Headers {
			message.Headers = append(message.Headers, kafka.Header{Key: h.Name, Value: shell.Bytes(h.Value)})
		}
		if err := writer.WriteMessages(ctx, message); err != nil {
			return err
		}
		c.Pace()
	}
	open.Wait()
	close(again)
	if err := writer.Close(); err != nil {
		return err
	}
	return failed
}

func show(m kafka.Message) {
	var headers []shell.Header
	for _, h := range m.Headers {
		headers = append(headers, shell.Header{Name: h.Key, Value: h.Value})
	}
	shell.Read(int32(m.Partition), m.Offset, m.Key, m.Value, headers)
}

func group(c *shell.Command) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{c.Bootstrap}, GroupID: c.Group, Topic: c.Topic, StartOffset: kafka.FirstOffset,
		HeartbeatInterval: 500 * time.Millisecond, SessionTimeout: 10 * time.Second, MaxWait: 100 * time.Millisecond,
		GroupBalancers: []kafka.GroupBalancer{kafka.RangeGroupBalancer{}}, JoinGroupBackoff: 500 * time.Millisecond,
	})
}

func consume(c *shell.Command) error {
	ctx := context.Background()
	if c.Group != "" {
		reader := group(c)
		defer reader.Close()
		var seen []kafka.Message
		for range c.Expect {
			message, err := reader.FetchMessage(ctx)
			if err != nil {
				return err
			}
			show(message)
			seen = append(seen, message)
		}
		return reader.CommitMessages(ctx, seen...)
	}
	messages := make(chan kafka.Message)
	for _, partition := range c.PartitionList() {
		reader := kafka.NewReader(kafka.ReaderConfig{
			Brokers: []string{c.Bootstrap}, Topic: c.Topic, Partition: int(partition), MaxWait: 100 * time.Millisecond})
		defer reader.Close()
		go func() {
			for {
				message, err := reader.ReadMessage(ctx)
				if err != nil {
					return
				}
				messages <- message
			}
		}()
	}
	for range c.Expect {
		show(<-messages)
	}
	return nil
}

// member uses the ConsumerGroup type, which tells the assignments; reading a partition and committing is left to the program.
func member(c *shell.Command) error {
	members, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: c.Group, Brokers: []string{c.Bootstrap}, Topics: []string{c.Topic}, StartOffset: kafka.FirstOffset,
		HeartbeatInterval: 500 * time.Millisecond, SessionTimeout: 10 * time.Second, JoinGroupBackoff: 500 * time.Millisecond,
		GroupBalancers: []kafka.GroupBalancer{kafka.RangeGroupBalancer{}},
	})
	if err != nil {
		return err
	}
	ctx, leave := context.WithCancel(context.Background())
	go func() {
		for !c.AskedToLeave() {
			time.Sleep(50 * time.Millisecond)
		}
		leave()
	}()
	for ctx.Err() == nil {
		generation, err := members.Next(ctx)
		if err != nil {
			time.Sleep(100 * time.Millisecond) // the broker is away for a moment, or the time to leave has come
			continue
		}
		var partitions []int
		for _, assignment := range generation.Assignments[c.Topic] {
			partitions = append(partitions, assignment.ID)
			generation.Start(func(ended context.Context) { follow(ended, c, generation, assignment) })
		}
		shell.Assigned(partitions)
	}
	return members.Close()
}

func follow(ended context.Context, c *shell.Command, generation *kafka.Generation, assignment kafka.PartitionAssignment) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{c.Bootstrap}, Topic: c.Topic, Partition: assignment.ID, MaxWait: 100 * time.Millisecond})
	defer reader.Close()
	if err := reader.SetOffset(assignment.Offset); err != nil {
		return
	}
	for {
		message, err := reader.ReadMessage(ended)
		if ended.Err() != nil {
			return
		}
		if err != nil {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		show(message)
		for try := 0; try < 50; try++ {
			if generation.CommitOffsets(map[string]map[int]int64{c.Topic: {assignment.ID: message.Offset + 1}}) == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func main() {
	shell.Serve(map[string]func(*shell.Command) error{"create": create, "produce": produce, "consume": consume, "member": member})
}
