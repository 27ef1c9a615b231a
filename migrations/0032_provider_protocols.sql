-- Providers that do something in a way of their own are spoken to by it. Those there are stay what they are: OpenAI's protocol, by their base URL.
alter table providers drop constraint providers_protocol_check;
alter table providers add constraint providers_protocol_check check (protocol in (
  'openai', 'azure-openai', 'deepseek', 'fireworks', 'groq', 'huggingface', 'mistral', 'ollama', 'openrouter', 'perplexity', 'together', 'xai'
));
