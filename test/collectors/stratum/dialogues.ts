const H = (digit: string) => digit.repeat(64);
const HEAD = `01000000${"01"}${"00".repeat(32)}ffffffff${"18"}${"03a0bb0d"}`;
const TAIL = `${Buffer.from("/ckpool/").toString("hex")}ffffffff01${"00f2052a01000000"}0151${"00000000"}`;
const BLOB = `1010c0cc8dd806${"11".repeat(32)}00000000${"22".repeat(32)}01`;
const chain = (jobId: string, toGroup: number) => ({
  jobId,
  fromGroup: 0,
  toGroup,
  headerBlob: "07",
  txsBlob: "02",
  targetBlob: "1b",
});

/**
 * A short talk in each dialect, written after its own documentation: `>` is the miner, `<` the pool. The third line from
 * the end hands in a share that is accepted; the shares that must come out are named.
 */
export const DIALOGUES: Record<string, { talk: string[]; shares: object[]; jobs?: object[] }> = {
  bitcoin: {
    talk: [
      '> {"id":0,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"1fffe000"}]}',
      '< {"id":0,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null}',
      '> {"id":1,"method":"mining.subscribe","params":["bmminer/2.0.0"]}',
      '< {"id":1,"result":[[["mining.set_difficulty","a"],["mining.notify","a"]],"08000002",8],"error":null}',
      '< {"id":null,"method":"mining.set_difficulty","params":[65536]}',
      `< {"id":"notify","method":"mining.notify","params":["5a",${JSON.stringify(H("0"))},"${HEAD}","${TAIL}",[],"20000000","1703a30c","65e0c0f0",true]}`,
      '> {"id":2,"method":"mining.authorize","params":["bc1qexample.s19-01","x"]}',
      '< {"id":2,"result":true,"error":null}',
      '> {"id":3,"method":"mining.submit","params":["bc1qexample.s19-01","5a","0000000000000001","65e0c0f0","deadbeef","1fffe000"]}',
      '< {"id":3,"result":true,"error":null}',
    ],
    shares: [
      {
        account: "bc1qexample",
        worker: "s19-01",
        algorithm: "sha256d",
        difficulty: 65_536,
        outcome: "accepted",
      },
    ],
    jobs: [{ jobId: "5a", height: 900_000, coinbaseTag: "/ckpool/" }],
  },
  monero: {
    talk: [
      '> {"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"44AFFq5k+120000","pass":"x","agent":"XMRig/6.22","rigid":"rig-a","algo":["rx/0"]}}',
      `< {"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"s1","job":{"blob":"${BLOB}","job_id":"j1","target":"dc460300","algo":"rx/0","height":3000000,"seed_hash":"aa"},"status":"OK"}}`,
      '> {"id":2,"jsonrpc":"2.0","method":"login","params":{"login":"48BGGr6l.rig-b","pass":"x"}}',
      `< {"id":2,"jsonrpc":"2.0","error":null,"result":{"id":"s2","job":{"blob":"${BLOB}","job_id":"j2","target":"d7a3703d0ad7a300","algo":"rx/0"},"status":"OK"}}`,
      '> {"id":3,"jsonrpc":"2.0","method":"keepalived","params":{"id":"s1"}}',
      '< {"id":3,"jsonrpc":"2.0","error":null,"result":{"status":"KEEPALIVED"}}',
      '> {"id":4,"jsonrpc":"2.0","method":"submit","params":{"id":"s1","job_id":"j1","nonce":"01000000","result":"00"}}',
      '> {"id":5,"jsonrpc":"2.0","method":"submit","params":{"id":"s2","job_id":"j2","nonce":"02000000","result":"00"}}',
      '< {"id":5,"jsonrpc":"2.0","error":{"code":-1,"message":"Low difficulty share"}}',
      '< {"id":4,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}',
    ],
    shares: [
      {
        account: "48BGGr6l",
        worker: "rig-b",
        algorithm: "randomx",
        difficulty: 400,
        outcome: "low-difficulty",
      },
      { account: "44AFFq5k", worker: "rig-a", algorithm: "randomx", difficulty: 20_000, outcome: "accepted" },
    ],
    jobs: [
      { jobId: "j1", prevHash: "11".repeat(32), height: 3_000_000 },
      { jobId: "j2", prevHash: "11".repeat(32) },
    ],
  },
  "eth-proxy": {
    talk: [
      '> {"worker":"eth1.0","jsonrpc":"2.0","params":["0xAbC/rig1/me@example.org","x"],"id":2,"method":"eth_submitLogin"}',
      '< {"jsonrpc":"2.0","id":2,"result":true}',
      '> {"jsonrpc":"2.0","params":[],"id":3,"method":"eth_getWork"}',
      `< {"jsonrpc":"2.0","id":0,"result":["0x${H("a")}","0x${H("b")}","0x00000000dbe6fecebdedd5beb573440e5a884d1b2fbf06fcce912adcb8d8422e"]}`,
      '> {"id":6,"jsonrpc":"2.0","method":"eth_submitHashrate","params":["0x1d08a61","0x1"]}',
      '< {"jsonrpc":"2.0","id":6,"result":true}',
      `> {"id":4,"method":"eth_submitWork","params":["0x07a05fa4133e5126","0x${H("A")}","0x${H("c")}"]}`,
      '< {"jsonrpc":"2.0","id":4,"result":true}',
    ],
    shares: [
      {
        account: "0xAbC",
        worker: "rig1",
        algorithm: "ethash",
        difficulty: 5_000_000_000,
        outcome: "accepted",
      },
    ],
  },
  "EthereumStratum/1.0.0": {
    talk: [
      '> {"id":1,"method":"mining.subscribe","params":["lolMiner/1.5","EthereumStratum/1.0.0"]}',
      '< {"id":1,"result":[["mining.notify","ae68","EthereumStratum/1.0.0"],"080c"],"error":null}',
      '> {"id":2,"method":"mining.extranonce.subscribe","params":[]}',
      '< {"id":2,"result":true,"error":null}',
      '> {"id":3,"method":"mining.authorize","params":["0xAbC.rig1","x"]}',
      '< {"id":3,"result":true,"error":null}',
      '< {"id":null,"method":"mining.set_difficulty","params":[0.5]}',
      `< {"id":null,"method":"mining.notify","params":["bf0488aa","${H("a")}","${H("b")}",true,15000000]}`,
      '> {"id":4,"method":"mining.submit","params":["0xAbC.rig1","bf0488aa","6a909d9bbc0f"]}',
      '< {"id":4,"result":true,"error":null}',
    ],
    shares: [
      { account: "0xAbC", worker: "rig1", algorithm: "ethash", difficulty: 2 ** 31, outcome: "accepted" },
    ],
  },
  zcash: {
    talk: [
      '> {"id":1,"method":"mining.subscribe","params":["EWBF 0.3.4b",null,"eu1.example.org","3333"]}',
      '< {"id":1,"result":["04d567b212","04d567b212"],"error":null}',
      '> {"id":2,"method":"mining.authorize","params":["t1example.rig4","x"]}',
      '< {"id":2,"result":true,"error":null}',
      '< {"id":null,"method":"mining.set_target","params":["0004000000000000000000000000000000000000000000000000000000000000"]}',
      `< {"id":null,"method":"mining.notify","params":["8c6f","04000000","${"01".repeat(28)}00000000","${H("b")}","${H("0")}","a9cc405a","09d8151c",true]}`,
      `> {"id":3,"method":"mining.submit","params":["t1example.rig4","8c6f","a9cc405a","3e27","fd4005${"00".repeat(1344)}"]}`,
      '< {"id":3,"result":false,"error":[21,"Job not found",null]}',
      `> {"id":4,"method":"mining.submit","params":["t1example.rig4","8c6f","a9cc405a","3e28","fd4005${"00".repeat(1344)}"]}`,
      '< {"id":4,"result":true}',
    ],
    shares: [
      { account: "t1example", worker: "rig4", algorithm: "equihash", difficulty: 2, outcome: "stale" },
      { account: "t1example", worker: "rig4", algorithm: "equihash", difficulty: 2, outcome: "accepted" },
    ],
    jobs: [{ jobId: "8c6f", prevHash: `00000000${"01".repeat(28)}` }],
  },
  kawpow: {
    talk: [
      '> {"id":1,"method":"mining.subscribe","params":["kawpowminer/1.2.4","EthereumStratum/1.0.0"]}',
      '< {"id":1,"result":[null,"e1f2"],"error":null}',
      '> {"id":2,"method":"mining.authorize","params":["RExample.rig1","x"]}',
      '< {"id":2,"result":true,"error":null}',
      `< {"id":null,"method":"mining.set_target","params":["00000000ff000000000000000000000000000000000000000000000000000000"]}`,
      `< {"id":null,"method":"mining.notify","params":["1","${H("a")}","${H("b")}","0000000080000000000000000000000000000000000000000000000000000000",true,2500000,"1b00a1b2"]}`,
      '> {"id":3,"method":"mining.submit","params":["RExample.rig1","1","0xe1f2","0xaa","0xbb"]}',
      '< {"id":3,"result":true,"error":null}',
    ],
    shares: [
      { account: "RExample", worker: "rig1", algorithm: "kawpow", difficulty: 2, outcome: "accepted" },
    ],
  },
  kaspa: {
    talk: [
      '> {"id":1,"method":"mining.subscribe","params":["BzMiner/v21","EthereumStratum/1.0.0"]}',
      '< {"id":1,"result":[true,"EthereumStratum/1.0.0"],"error":null}',
      '< {"id":null,"method":"set_extranonce","params":["ab12",6]}',
      '> {"id":2,"method":"mining.authorize","params":["kaspa:qexample.rig1","x"]}',
      '< {"id":2,"result":true,"error":null}',
      '< {"id":null,"method":"mining.set_difficulty","params":[4096]}',
      '< {"id":7,"method":"mining.notify","params":[12,[17546456456456456456,2,3,4],1700000000]}',
      '> {"id":3,"method":"mining.submit","params":["kaspa:qexample.rig1","12","0xdeadbeef"]}',
      '< {"id":3,"result":null,"error":[22,"Duplicate share submitted",null]}',
      '> {"id":4,"method":"mining.submit","params":["kaspa:qexample.rig1","12","0xdeadbef0"]}',
      '< {"id":4,"result":true,"error":null}',
    ],
    shares: [
      {
        account: "kaspa:qexample",
        worker: "rig1",
        algorithm: "kheavyhash",
        difficulty: 4096,
        outcome: "duplicate",
      },
      {
        account: "kaspa:qexample",
        worker: "rig1",
        algorithm: "kheavyhash",
        difficulty: 4096,
        outcome: "accepted",
      },
    ],
  },
  alephium: {
    talk: [
      '> {"id":1,"method":"mining.authorize","params":["1exampleAddress.rig1",""]}',
      '< {"id":1,"result":true,"error":null}',
      '< {"id":null,"method":"mining.set_extranonce","params":["01ab"]}',
      '< {"id":null,"method":"mining.set_difficulty","params":[64]}',
      `< {"id":null,"method":"mining.notify","params":${JSON.stringify([chain("a1", 0), chain("a2", 1)])}}`,
      '> {"id":2,"method":"mining.submit","params":{"jobId":"a2","fromGroup":0,"toGroup":1,"nonce":"00","worker":"1exampleAddress.rig1"}}',
      '< {"id":2,"result":true,"error":null}',
    ],
    shares: [
      {
        account: "1exampleAddress",
        worker: "rig1",
        algorithm: "blake3",
        difficulty: 256,
        outcome: "accepted",
      },
    ],
  },
};
