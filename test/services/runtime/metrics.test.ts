import { expect, test } from 'vitest';
import { createGatheredHistogram, createMetrics } from '../../../services/runtime/metrics.ts';

test('an observation is in the next scrape, however few there are, and none is counted twice', async () => {
  const registry = createMetrics({ process: 'test' });
  const histogram = createGatheredHistogram({ name: 'turnpike_gathered_seconds', help: 'x', buckets: [1, 10], registers: [registry] });
  for (let value = 0; value < 300; value++) histogram.observe(value % 20);
  const scraped = await registry.getSingleMetricAsString('turnpike_gathered_seconds');
  expect(scraped).toContain('turnpike_gathered_seconds_count{process="test"} 300');
  expect(scraped).toContain('le="1",process="test"} 30');
  expect(await registry.getSingleMetricAsString('turnpike_gathered_seconds')).toBe(scraped);
});
