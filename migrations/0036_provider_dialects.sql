-- Providers that speak dialects of their own: Anthropic, Google (the Gemini API and Vertex AI), AWS Bedrock and Cohere.
alter table providers drop constraint providers_protocol_check;
alter table providers add constraint providers_protocol_check check (protocol in (
  'openai', 'anthropic', 'azure-openai', 'bedrock', 'cohere', 'deepseek', 'fireworks', 'gemini', 'groq', 'huggingface', 'mistral', 'ollama', 'openrouter',
  'perplexity', 'together', 'vertex', 'xai'
));
