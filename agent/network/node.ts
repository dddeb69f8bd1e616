import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type Identify, type IdentifyPush, identify, identifyPush } from '@libp2p/identify'
import type { Libp2p, PrivateKey } from '@libp2p/interface'
import { type KadDHT, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import type { Datastore } from 'interface-datastore'
import { createLibp2p } from 'libp2p'
import { KAD_PROTOCOL } from '../../protocol/streams/index.ts'
import type { ConnectionManager, Gate, Registrar } from './gate.ts'
import type { Newcomers } from './newcomers.ts'

const MINUTE_MS = 60_000
/** Also the most providers one lookup returns. */
export const DHT_BUCKET = 8

export type Services = { identify: Identify; identifyPush: IdentifyPush; ping: Ping; dht: KadDHT }
export type Node = Libp2p<Services>

interface NodeInit {
  key: PrivateKey
  listen: string[]
  announce: string[]
  datastore: Datastore
  newcomers: Newcomers
}

interface Gated {
  registrar: Registrar
  connectionManager?: ConnectionManager
}

/** A libp2p node of which nothing works before hello. Each setting that differs from the default says why. */
export async function createNode(init: NodeInit, gate: Gate): Promise<Node> {
  /** A service built on what the gate lets through. */
  const behindGate =
    <C extends Gated, S>(factory: (components: C) => S) =>
    (components: C): S => {
      const { registrar, connectionManager } = components
      const gated = {
        registrar: gate.registrar(registrar),
        ...(connectionManager && { connectionManager: gate.connectionManager(connectionManager) })
      }
      return factory(
        new Proxy(components, {
          get: (target, property) => Reflect.get(property in gated ? gated : target, property)
        })
      )
    }

  return await createLibp2p<Services>({
    privateKey: init.key,
    datastore: init.datastore,
    start: false,
    nodeInfo: { name: 'dynamos-agent', version: '1' },
    addresses: { listen: init.listen, announce: init.announce },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    // The window must stay below the read buffer of 4 MiB; a larger one makes requests wait behind bulk transfers.
    streamMuxers: [
      yamux({
        maxInboundStreams: 256,
        maxEarlyStreams: 64,
        streamOptions: { maxStreamWindowSize: 1 << 20 }
      })
    ],
    // Shorter ages would make live providers unfindable: re-stored addresses keep their old time stamp.
    peerStore: { maxAddressAge: Infinity, maxPeerAge: Infinity },
    connectionGater: { denyInboundConnection: (incoming) => init.newcomers.turnsAway(incoming) },
    connectionManager: {
      maxConnections: 200,
      // Organisations behind one NAT, and labs, come from one address.
      inboundConnectionThreshold: 50,
      // One address has some of them, see Newcomers.
      maxIncomingPendingConnections: 256,
      inboundUpgradeTimeout: 5_000,
      addressDialTimeout: 3_000,
      dialTimeout: 6_000
    },
    // It aborts busy connections whose ping is late; a peer that does not answer is probed when it matters.
    connectionMonitor: { enabled: false },
    services: {
      // Started after hello, by the network.
      identify: behindGate(identify({ runOnConnectionOpen: false })),
      identifyPush: behindGate(identifyPush()),
      ping: behindGate(ping()),
      dht: behindGate(
        kadDHT({
          protocol: KAD_PROTOCOL,
          // Unset means client until a public address is known.
          clientMode: false,
          // The default drops private addresses: empty tables, no error.
          peerInfoMapper: passthroughMapper,
          kBucketSize: DHT_BUCKET,
          alpha: 3,
          initialQuerySelfInterval: 200,
          reprovide: {
            validity: 60 * MINUTE_MS,
            threshold: 40 * MINUTE_MS,
            interval: 5 * MINUTE_MS
          }
        })
      )
    }
  })
}
