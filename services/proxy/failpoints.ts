import type { Disk } from '../eventlog/disk.ts';
import { machineDisk } from '../eventlog/disk.ts';
import type { EventLogProducer } from '../eventlog/event-log.ts';
import { createSpoolFailpointDisk } from '../eventlog/failpoints/failpoint-disk.ts';
import { createFailpointProducer } from '../eventlog/failpoints/failpoint-producer.ts';
import type { Spool } from '../eventlog/spool.ts';
import type { PassFailpoint } from '../runtime/failpoints/failpoints.ts';
import type { Upstream } from './upstream/upstream.ts';
import type { UpstreamReceiver } from './upstream/upstream-call.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** The seams of a proxy as it is put together: themselves, or decorated with failpoints. */
export interface ProxySeams {
  readonly disk: Disk;
  producer(producer: EventLogProducer): EventLogProducer;
  spool(spool: Spool): Spool;
  upstreams(upstreams: Upstreams): Upstreams;
}

/** @param pass null: every seam is what it is. */
export function createProxySeams(pass: PassFailpoint | null): ProxySeams {
  if (pass === null) {
    return { disk: machineDisk, producer: (producer) => producer, spool: (spool) => spool, upstreams: (upstreams) => upstreams };
  }
  return {
    disk: createSpoolFailpointDisk(machineDisk, pass),
    producer: (producer) => createFailpointProducer(producer, pass),
    spool: (spool) => createFailpointSpool(spool, pass),
    upstreams: (upstreams) => createFailpointUpstreams(upstreams, pass),
  };
}

function createFailpointSpool(spool: Spool, pass: PassFailpoint): Spool {
  const closed = (onWritten: () => void) => (): void => {
    pass('proxy.request.closed');
    onWritten();
    pass('proxy.request.answered');
  };
  return {
    ...spool,
    open: (requestId, draft, onWritten) => {
      pass('proxy.request.open');
      return spool.open(requestId, draft, () => {
        pass('proxy.request.opened');
        onWritten();
      });
    },
    close: (requestId, event, onWritten) => {
      pass('proxy.request.close');
      spool.close(requestId, event, closed(onWritten));
    },
    append: (requestId, event, onWritten) => {
      pass('proxy.request.close');
      return spool.append(requestId, event, closed(onWritten));
    },
  };
}

function createFailpointUpstreams(upstreams: Upstreams, pass: PassFailpoint): Upstreams {
  return {
    ...upstreams,
    find: (providerId) => {
      const upstream = upstreams.find(providerId);
      return upstream === null ? null : createFailpointUpstream(upstream, pass);
    },
  };
}

function createFailpointUpstream(upstream: Upstream, pass: PassFailpoint): Upstream {
  return {
    ...upstream,
    send: (method, path, headers, body, receiver) => {
      pass('proxy.upstream.call');
      const call = upstream.send(method, path, headers, body, createFailpointReceiver(receiver, pass));
      pass('proxy.upstream.called');
      return call;
    },
  };
}

function createFailpointReceiver(receiver: UpstreamReceiver, pass: PassFailpoint): UpstreamReceiver {
  return {
    onUpstreamHead: (status, headers) => {
      pass('proxy.upstream.head');
      receiver.onUpstreamHead(status, headers);
    },
    onUpstreamData: (chunk) => {
      pass('proxy.upstream.data');
      receiver.onUpstreamData(chunk);
    },
    onUpstreamEnd: () => {
      pass('proxy.upstream.end');
      receiver.onUpstreamEnd();
    },
    onUpstreamFailure: (kind, error) => receiver.onUpstreamFailure(kind, error),
  };
}
