/** Sums of entries by minute, hour or day (`usage_minute`, `usage_hour`, `usage_day`). Absent dimensions are the nil UUID or an empty text. */
export interface UsageRollupTable {
  organization_id: string;
  bucket: Date;
  api_key_id: string;
  team_id: string;
  user_id: string;
  service_account_id: string;
  provider: string;
  model: string;
  route_id: string;
  outcome: string;
  tag_key: string;
  tag_value: string;
  requests: bigint;
  unrated_requests: bigint;
  estimated_requests: bigint;
  streamed_requests: bigint;
  cost: bigint;
  tokens_input: bigint | null;
  tokens_cache_read: bigint | null;
  tokens_cache_write_5m: bigint | null;
  tokens_cache_write_1h: bigint | null;
  tokens_input_audio: bigint | null;
  tokens_input_image: bigint | null;
  tokens_output: bigint | null;
  tokens_reasoning: bigint | null;
  tokens_output_audio: bigint | null;
  tokens_output_image: bigint | null;
  first_byte_histogram: bigint[];
  total_histogram: bigint[];
}
