import { RERANK } from '../../../../schema/http/rerank.ts';
import { curl } from '../curl.ts';
import { openaiPython } from '../python.ts';
import type { Snippet } from '../snippet.ts';
import { openaiTypeScript } from '../typescript.ts';

/** No client of OpenAI's has a name for it, but each has a way to ask for what it has none for. */
export const rerank: Snippet = {
  name: 'rerank',
  title: 'Texts in the order of how much they say to a query',
  endpoint: RERANK,
  model: 'sim/echo',
  code: {
    curl: curl({ path: RERANK, json: (model) => ({ model, query: 'turnpike', documents: ['A road', 'A turnpike'] }) }),
    python: openaiPython(
      (model) => `body = {"model": ${model}, "query": "turnpike", "documents": ["A road", "A turnpike"]}
ranking = client.post("/rerank", body=body, cast_to=object)
for result in ranking["results"]:
    print(result["index"], result["relevance_score"])
`,
    ),
    typescript: openaiTypeScript(
      (model) => `const body = { model: ${model}, query: 'turnpike', documents: ['A road', 'A turnpike'] };
type Ranking = { results: { index: number; relevance_score: number }[] };
const ranking = await client.post<Ranking>('/rerank', { body });
for (const { index, relevance_score: score } of ranking.results) console.log(index, score);
`,
    ),
  },
};
