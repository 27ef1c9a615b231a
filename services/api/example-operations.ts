/** What a newcomer finds in the explorer, the same as in the README: a query, a mutation, a subscription. */
export interface ExampleOperation {
  readonly name: string;
  readonly query: string;
  /** JSON text, or null. */
  readonly variables: string | null;
}

export const exampleOperations: readonly ExampleOperation[] = [
  {
    name: 'LatestRequests',
    query: `# The latest requests, with what they cost. Put your admin key into the line above first.
query LatestRequests {
  requests(first: 20) {
    nodes {
      id
      occurredAt
      outcome
      model
      apiKey {
        name
      }
      tokens {
        inputTotal
        outputTotal
      }
      cost {
        amount
        currency
      }
      duration
    }
  }
}
`,
    variables: null,
  },
  {
    name: 'CreateKey',
    query: `# Makes a key for an application. Its secret is shown in this answer only.
mutation CreateKey($input: ApiKeyCreateInput!) {
  apiKeyCreate(input: $input) {
    secret
    apiKey {
      id
      name
      allowedModels
    }
    errors {
      code
      message
      path
    }
  }
}
`,
    variables: `{
  "input": {
    "idempotencyKey": "my-first-key",
    "name": "My first key",
    "allowedModels": ["sim/*"]
  }
}
`,
  },
  {
    name: 'Tail',
    query: `# Requests as they are booked. Run it, then send a request.
subscription Tail {
  requestTail(filter: {}) {
    __typename
    ... on RequestBooked {
      cursor
      request {
        id
        model
        outcome
        cost {
          amount
          currency
        }
      }
    }
    ... on StreamHeartbeat {
      cursor
      lagMs
    }
  }
}
`,
    variables: null,
  },
];
