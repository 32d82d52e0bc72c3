// The driver around sarama.
package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"barnabas.interop/shell"
)

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V3_6_0_0
	config.Metadata.Retry.Max = 100
	config.Metadata.Retry.Backoff = 200 * time.Millisecond
	config.Metadata.AllowAutoTopicCreation = false
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	config.Consumer.Group.Session.Timeout = 10 * time.Second
	config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
	config.Consumer.Return.Errors = false
	return config
}

func create(c *shell.Command) error {
	admin, err := sarama.NewClusterAdmin([]string{c.Bootstrap}, config())
	if err != nil {
		return err
	}
	defer admin.Close()
	entries := map[string]*string{}
	for name, value := range c.Configs {
		entries[name] = &value
	}
	return admin.CreateTopic(c.Topic, &sarama.TopicDetail{NumPartitions: c.PartitionCount(), ReplicationFactor: 1, ConfigEntries: entries}, false)
}

var codecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

func encoder(text *string) sarama.Encoder {
	if text == nil {
		return nil
	}
	return sarama.StringEncoder(*text)
}

func produce(c *shell.Command) error {
	settings := config()
	settings.Producer.RequiredAcks = sarama.WaitForAll
	settings.Producer.Compression = codecs[c.Codec]
	settings.Producer.Idempotent = c.Idempotent
	settings.Net.MaxOpenRequests = 1
	settings.Producer.Partitioner = sarama.NewManualPartitioner
	settings.Producer.Return.Successes = true
	settings.Producer.Flush.Frequency = 20 * time.Millisecond
	settings.Producer.Retry.Max = 1000
	settings.Producer.Retry.Backoff = 200 * time.Millisecond
	producer, err := sarama.NewAsyncProducer([]string{c.Bootstrap}, settings)
	if err != nil {
		return err
	}
	var (
		open   sync.WaitGroup // one per message: closing the producer gives up what it is still retrying
		failed error
	)
	open.Add(len(c.Records))
	go func() {
		for message := range producer.Successes() {
			shell.Ack(message.Metadata.(int), message.Partition, message.Offset)
			open.Done()
		}
	}()
	go func() {
		for err := range producer.Errors() {
			failed = err
			open.Done()
		}
	}()
	for index, r := range c.Records {
		message := &sarama.ProducerMessage{Topic: c.Topic, Partition: r.Partition, Key: encoder(r.Key), Value: encoder(r.Value), Metadata: index}
		for _, h := range r.Headers {
			message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(h.Name), Value: shell.Bytes(h.Value)})
		}
		producer.Input() <- message
		c.Pace()
	}
	open.Wait()
	producer.AsyncClose()
	return failed
}

func show(m *sarama.ConsumerMessage) {
	var headers []shell.Header
	for _, h := range m.Headers {
		headers = append(headers, shell.Header{Name: string(h.Key), Value: h.Value})
	}
	shell.Read(m.Partition, m.Offset, m.Key, m.Value, headers)
}

func consume(c *shell.Command) error {
	if c.Group != "" {
		return consumeInGroup(c)
	}
	consumer, err := sarama.NewConsumer([]string{c.Bootstrap}, config())
	if err != nil {
		return err
	}
	defer consumer.Close()
	messages := make(chan *sarama.ConsumerMessage)
	for _, partition := range c.PartitionList() {
		part, err := consumer.ConsumePartition(c.Topic, partition, sarama.OffsetOldest)
		if err != nil {
			return err
		}
		defer part.AsyncClose()
		go func() {
			for message := range part.Messages() {
				messages <- message
			}
		}()
	}
	for range c.Expect {
		show(<-messages)
	}
	return nil
}

// upTo reads so many messages as a group member, marks them and is done.
type upTo struct {
	lock sync.Mutex
	left int
	done context.CancelFunc
}

func (u *upTo) Setup(sarama.ConsumerGroupSession) error { return nil }
func (u *upTo) Cleanup(s sarama.ConsumerGroupSession) error {
	s.Commit()
	return nil
}

func (u *upTo) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case <-session.Context().Done():
			return nil
		case message, open := <-claim.Messages():
			if !open || !u.take(session, message) {
				return nil
			}
		}
	}
}

func (u *upTo) take(session sarama.ConsumerGroupSession, message *sarama.ConsumerMessage) bool {
	u.lock.Lock()
	defer u.lock.Unlock()
	if u.left == 0 {
		return false
	}
	show(message)
	session.MarkMessage(message, "")
	if u.left--; u.left == 0 {
		u.done()
	}
	return true
}

func consumeInGroup(c *shell.Command) error {
	group, err := sarama.NewConsumerGroup([]string{c.Bootstrap}, c.Group, config())
	if err != nil {
		return err
	}
	defer group.Close()
	ctx, done := context.WithCancel(context.Background())
	handler := &upTo{left: c.Expect, done: done}
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{c.Topic}, handler); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// watcher reads until it is asked to leave and commits as it goes.
type watcher struct{ topic string }

func (w watcher) Setup(s sarama.ConsumerGroupSession) error {
	shell.Assigned(s.Claims()[w.topic])
	return nil
}

func (w watcher) Cleanup(s sarama.ConsumerGroupSession) error {
	s.Commit()
	return nil
}

func (w watcher) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case <-session.Context().Done():
			return nil
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			show(message)
			session.MarkMessage(message, "")
		}
	}
}

func member(c *shell.Command) error {
	settings := config()
	settings.Consumer.Offsets.AutoCommit.Enable = true
	settings.Consumer.Offsets.AutoCommit.Interval = 200 * time.Millisecond
	ctx, leave := context.WithCancel(context.Background())
	go func() {
		for !c.AskedToLeave() {
			time.Sleep(50 * time.Millisecond)
		}
		leave()
	}()
	var group sarama.ConsumerGroup
	for ctx.Err() == nil {
		var err error
		if group == nil {
			if group, err = sarama.NewConsumerGroup([]string{c.Bootstrap}, c.Group, settings); err != nil {
				return err
			}
		}
		if err = group.Consume(ctx, []string{c.Topic}, watcher{c.Topic}); err != nil && ctx.Err() == nil {
			if !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "refused") {
				println(err.Error())
			}
			time.Sleep(200 * time.Millisecond) // the broker is away for a moment
		}
	}
	return group.Close()
}

func main() {
	shell.Serve(map[string]func(*shell.Command) error{"create": create, "produce": produce, "consume": consume, "member": member})
}
