import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type Identify, type IdentifyPush, identify, identifyPush } from '@libp2p/identify'
import { type Libp2p, type PrivateKey, peerDiscoverySymbol } from '@libp2p/interface'
import { type KadDHT, type KadDHTComponents, kadDHT } from '@libp2p/kad-dht'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import type { Datastore } from 'interface-datastore'
import { createLibp2p } from 'libp2p'
import { DynamosError } from '../../protocol/errors/index.ts'
import { KAD_PROTOCOL } from '../../protocol/streams/index.ts'
import type { ConnectionManager, Gate, Registrar } from './gate.ts'
import type { Newcomers } from './newcomers.ts'
import { boundedRecords } from './provider-records.ts'
import type { Rumours } from './rumours.ts'

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
  rumours: Rumours
  self: string
}

interface Gated {
  registrar: Registrar
  connectionManager?: ConnectionManager
}

/** A libp2p node of which nothing works before hello. Each setting that differs from the default says why. */
export async function createNode(init: NodeInit, gate: Gate): Promise<Node> {
  /** A service built on what the gate lets through. */
  const behindGate =
    <C extends Gated, S>(factory: (components: C) => S, more: Partial<C> = {}) =>
    (components: C): S => {
      const { registrar, connectionManager } = components
      const gated = {
        ...more,
        registrar: gate.registrar(registrar),
        ...(connectionManager && { connectionManager: gate.connectionManager(connectionManager) })
      }
      return factory(
        new Proxy(components, {
          get: (target, property) => Reflect.get(property in gated ? gated : target, property)
        })
      )
    }

  const { datastore, rumours, self } = init
  return await createLibp2p<Services>({
    privateKey: init.key,
    datastore,
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
      dht: behindGate<KadDHTComponents, KadDHT>((components) => createDht(rumours, components), {
        datastore: boundedRecords(datastore, self)
      })
    }
  })
}

/** The DHT keeps no values, few records of each peer, and of peers it hears of only what {@link Rumours} believe. */
function createDht(rumours: Rumours, components: KadDHTComponents): KadDHT {
  const dht = kadDHT({
    protocol: KAD_PROTOCOL,
    // Unset means client until a public address is known.
    clientMode: false,
    // The default drops private addresses: empty tables, no error.
    peerInfoMapper: rumours.believed,
    kBucketSize: DHT_BUCKET,
    alpha: 3,
    initialQuerySelfInterval: 200,
    reprovide: {
      validity: 60 * MINUTE_MS,
      threshold: 40 * MINUTE_MS,
      interval: 5 * MINUTE_MS
    },
    // The library stores any public key for whoever sends it.
    validators: {
      pk: async () => {
        throw new DynamosError('request-type-not-supported', 'expected no values: this DHT keeps none')
      }
    }
  })(components)
  const told: unknown = Reflect.get(dht, peerDiscoverySymbol)
  if (!(told instanceof EventTarget)) throw new Error('expected a DHT that tells of peers')
  told.addEventListener('peer', (event) => {
    if (event instanceof CustomEvent) rumours.heard(components.peerStore, event.detail)
  })
  // libp2p itself would keep whatever peer an answer names, on disk and for ever.
  Object.defineProperty(dht, peerDiscoverySymbol, { value: undefined })
  return dht
}
