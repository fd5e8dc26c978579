import type { Random } from "./random.ts";

/** A mining machine as its maker rates it. Sources: the makers' data sheets; CPUs: xmrig.com/benchmark, medians. */
export interface MachineModel {
  name: string;
  algorithm: "sha256d" | "scrypt" | "randomx" | "etchash";
  /** Rated hashes per second. */
  hashrateHs: number;
  /** Power at the wall while mining. */
  watts: number;
  /** Where such machines stand: at home, in racks of a farm, or on servers. */
  setting: "home" | "farm" | "server" | "office";
  /** Agents such a machine presents: the maker's firmware first, then what owners install. */
  agents: readonly string[];
}

const TH = 1e12;
const antminer = [
  "bmminer/2.0.0",
  "bmminer/2.0.0",
  "vnish/1.2.6",
  "bosminer-plus-tuner/23.11",
  "luxminer/2024.5",
];
const whatsminer = ["btminer/3.4.0", "btminer/3.4.0", "cgminer/4.11.1"];
const avalon = ["cgminer/4.11.1", "cgminer/4.12.0"];
const xmrigs = [
  "XMRig/6.21.0 (Linux x86_64) libuv/1.44.2 gcc/11.4.0",
  "XMRig/6.21.3 (Windows NT 10.0; Win64; x64) libuv/1.48.0 msvc/2022",
  "XMRig/6.22.2 (Linux x86_64) libuv/1.49.2 gcc/13.2.1",
  "XMRig/6.24.0 (Windows NT 10.0; Win64; x64) libuv/1.51.0 msvc/2022",
];

const machine = (
  name: string,
  algorithm: MachineModel["algorithm"],
  hashrateHs: number,
  watts: number,
  setting: MachineModel["setting"],
  agents: readonly string[],
): MachineModel => ({ name, algorithm, hashrateHs, watts, setting, agents });

export const MACHINES: readonly MachineModel[] = [
  machine("S9", "sha256d", 13.5 * TH, 1323, "farm", antminer),
  machine("S17", "sha256d", 53 * TH, 2385, "farm", antminer),
  machine("S19", "sha256d", 95 * TH, 3250, "farm", antminer),
  machine("S19jPro", "sha256d", 100 * TH, 3050, "farm", antminer),
  machine("S19XP", "sha256d", 140 * TH, 3010, "farm", antminer),
  machine("S21", "sha256d", 200 * TH, 3500, "farm", antminer),
  machine("M30S", "sha256d", 112 * TH, 3472, "farm", whatsminer),
  machine("M50", "sha256d", 114 * TH, 3306, "farm", whatsminer),
  machine("M60", "sha256d", 172 * TH, 3422, "farm", whatsminer),
  machine("A1246", "sha256d", 90 * TH, 3420, "farm", avalon),
  machine("BitaxeGamma", "sha256d", 1.2 * TH, 17, "home", ["bitaxe/BM1370/v2.4.1", "bitaxe/BM1370/v2.6.0"]),
  machine("AvalonNano3", "sha256d", 4 * TH, 140, "home", avalon),
  machine("CompacF", "sha256d", 0.3 * TH, 12, "home", ["cgminer/4.12.1", "cgminer/4.13.1"]),
  machine("L3+", "scrypt", 504e6, 800, "farm", ["cgminer/4.9.0", "vnish/3.9.0"]),
  machine("L7", "scrypt", 9.5e9, 3425, "farm", antminer),
  machine("MiniDOGE", "scrypt", 185e6, 233, "home", ["goldshell/2.2.0"]),
  machine("7950X", "randomx", 21_000, 210, "home", xmrigs),
  machine("5950X", "randomx", 16_500, 180, "home", xmrigs),
  machine("3700X", "randomx", 8_900, 120, "home", xmrigs),
  machine("i7-8700", "randomx", 3_900, 110, "office", xmrigs),
  machine("i5-7500", "randomx", 2_200, 70, "office", xmrigs),
  machine("i3-6100", "randomx", 1_100, 55, "office", xmrigs),
  machine("E5-2680v4", "randomx", 7_200, 160, "server", xmrigs),
  machine("EPYC7742", "randomx", 42_000, 320, "server", xmrigs),
  machine("RTX3070", "etchash", 61e6, 125, "home", ["PhoenixMiner/6.2c", "lolMiner 1.88", "T-Rex/0.26.8"]),
  machine("RX6800", "etchash", 63e6, 115, "home", ["TeamRedMiner/0.10.21", "lolMiner 1.88"]),
];

/** Programs that gather many machines behind one connection. */
export const PROXY_AGENTS: Readonly<Record<MachineModel["algorithm"], readonly string[]>> = {
  sha256d: ["btcagent/v1.0.0", "farm-proxy/24.06"],
  scrypt: ["stratum-proxy/1.0", "farm-proxy/24.06"],
  randomx: ["xmrig-proxy/6.21.0", "xmrig-proxy/6.22.0"],
  etchash: ["stratum-proxy/1.0", "ethproxy/0.0.5"],
};

/** Agents of hashrate rental markets. */
export const RENTAL_AGENTS: readonly string[] = [
  "NiceHash/1.0.0",
  "MiningRigRentals/3.0",
  "NiceHash/1.0.0 (excavator)",
];

/** Agents of miners that intruders install: public builds, one version everywhere. */
export const INTRUDER_AGENTS: readonly string[] = [
  "XMRig/6.16.4 (Linux x86_64) libuv/1.42.0 gcc/9.3.0",
  "XMRig/6.19.2 (Windows NT 6.1; Win64; x64) libuv/1.44.1 msvc/2019",
  "XMRig/5.11.3 (Linux x86_64) libuv/1.24.1 gcc/7.5.0",
];

/** Draws a model by algorithm and setting; an empty choice falls back to the algorithm's own machines. */
export function drawModel(
  random: Random,
  algorithm: MachineModel["algorithm"],
  settings: readonly MachineModel["setting"][],
): MachineModel {
  const own = MACHINES.filter((model) => model.algorithm === algorithm);
  const fitting = own.filter((model) => settings.includes(model.setting));
  return random.pick(fitting.length > 0 ? fitting : own);
}
