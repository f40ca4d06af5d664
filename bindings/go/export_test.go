package milena

// Waits says whether a Send waits for room.
func (p *Producer) Waits() bool { return len(p.waiting) > 0 }

// Polled says whether a Poll waits, or has since the last thing that happened.
func (p *Producer) Polled() bool { return p.watch.asked() }

// Busy says whether a call of the consumer is under way.
func (c *Consumer) Busy() bool { return len(c.busy) > 0 }

func (w *watcher) asked() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.signal != nil
}
