// The calls of kubo-rpc-client against a node's RPC API: node client.mjs http://127.0.0.1:PORT/api/v0
import assert from 'node:assert/strict'
import { create, CID } from 'kubo-rpc-client'

const ipfs = create({ url: process.argv[2] })
const all = async source => { const list = []; for await (const item of source) list.push(item); return list }
const bytes = async source => Buffer.concat(await all(source))
const step = async (name, work) => { await work(); console.log(`ok: ${name}`) }

const large = Buffer.alloc(3_000_000, i => 0)
for (let i = 0; i < large.length; i++) large[i] = (i * 7 / 3) & 255
let root, file

await step('add', async () => {
  const added = await ipfs.add({ path: 'a.txt', content: 'hello\n' })
  assert.equal(added.cid.toString(), 'QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN')
  assert.equal(added.size, 14)
  file = added.cid
  const v1 = await ipfs.add('hello\n', { cidVersion: 1, rawLeaves: true })
  assert.equal(v1.cid.toString(), 'bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am')
  const hashed = await ipfs.add('not stored', { onlyHash: true })
  assert.ok(hashed.cid)
})
await step('addAll with progress', async () => {
  let seen = 0
  const entries = [{ path: 'dir/large', content: large }, { path: 'dir/sub/b', content: 'world\n' }]
  const added = await all(ipfs.addAll(entries, { progress: bytes => { seen = Math.max(seen, bytes) } }))
  assert.deepEqual(added.map(a => a.path).sort(), ['dir', 'dir/large', 'dir/sub', 'dir/sub/b'])
  root = added.find(a => a.path === 'dir').cid
  assert.equal(seen, large.length)
  const wrapped = await all(ipfs.addAll([{ path: 'x', content: 'x' }], { wrapWithDirectory: true, pin: false }))
  assert.equal(wrapped.length, 2)
})
await step('cat, get, ls', async () => {
  assert.ok((await bytes(ipfs.cat(`/ipfs/${root}/large`))).equals(large))
  assert.ok((await bytes(ipfs.cat(`/ipfs/${root}/large`, { offset: 300_000, length: 17 }))).equals(large.subarray(300_000, 300_017)))
  assert.ok((await bytes(ipfs.get(root))).includes('world\n'))
  const entries = await all(ipfs.ls(root))
  assert.deepEqual(entries.map(e => [e.name, e.type, e.size]), [['large', 'file', large.length], ['sub', 'dir', 0]])
  await assert.rejects(all(ipfs.cat(root)), /this dag node is a directory/)
})
await step('pin', async () => {
  await ipfs.pin.rm(root)
  await assert.rejects(ipfs.pin.rm(root), /not pinned or pinned indirectly/)
  assert.equal((await ipfs.pin.add(root)).toString(), root.toString())
  const types = async type => (await all(ipfs.pin.ls({ type }))).map(p => [p.cid.toString(), p.type])
  assert.ok((await types('recursive')).some(([cid, type]) => cid === root.toString() && type === 'recursive'))
  assert.ok((await types('indirect')).length > 5)
  const one = await all(ipfs.pin.ls({ paths: [root.toString()] }))
  assert.equal(one[0].type, 'recursive')
  await ipfs.pin.add(file, { recursive: false }).catch(error => assert.match(error.message, /already pinned recursively/))
})
await step('block', async () => {
  const cid = await ipfs.block.put(Buffer.from('a block'))
  assert.equal(Buffer.from(await ipfs.block.get(cid)).toString(), 'a block')
  assert.equal((await ipfs.block.stat(cid)).size, 7)
  const removed = await all(ipfs.block.rm(cid))
  assert.equal(removed[0].error ?? null, null)
})
await step('dag', async () => {
  const cid = await ipfs.dag.put({ hello: [1, 2.5, null], link: root })
  const { value } = await ipfs.dag.get(cid)
  assert.deepEqual(value.hello, [1, 2.5, null])
  assert.equal(CID.asCID(value.link).toString(), root.toString())
  assert.deepEqual((await ipfs.dag.get(cid, { path: 'hello/1' })).value, 2.5)
  assert.equal((await ipfs.dag.resolve(`${cid}/link/sub`)).cid.code, 0x70)
  const car = await bytes(ipfs.dag.export(root))
  const imported = await all(ipfs.dag.import([[car]]))
  assert.equal(imported[0].root.cid.toString(), root.toString())
  assert.equal(imported[0].root.pinErrorMsg, '')
})
await step('refs, resolve, files.stat', async () => {
  const refs = await all(ipfs.refs(root, { recursive: true, unique: true }))
  assert.ok(refs.length > 5 && refs.every(r => !r.err))
  assert.ok((await all(ipfs.refs.local())).length > refs.length)
  assert.match(await ipfs.resolve(`/ipfs/${root}/sub`), /^\/ipfs\/Qm/)
  const stat = await ipfs.files.stat(`/ipfs/${root}/large`)
  assert.equal(stat.size, large.length)
  await assert.rejects(all(ipfs.files.ls('/')), /does not have the command/)
})
await step('id, version, swarm, repo', async () => {
  assert.equal((await ipfs.version()).version, '0.43.0')
  assert.ok((await ipfs.id()).id)
  assert.deepEqual(await ipfs.swarm.peers(), [])
  assert.ok((await ipfs.repo.stat()).numObjects > 0n)
  assert.equal(Number(await ipfs.repo.version()), 18)
  const before = (await all(ipfs.refs.local())).length
  await ipfs.pin.rm(root)
  const collected = await all(ipfs.repo.gc())
  assert.ok(collected.length > 5 && collected.every(c => c.err == null))
  assert.equal((await all(ipfs.refs.local())).length, before - collected.length)
})
