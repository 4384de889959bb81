/**
 * ONNX Runtime keeps an identifier of the machine and sends usage to its maker from version 1.30 on, on Linux too, unless this is set
 * before it is loaded, on the main thread: native code does not see what a worker puts into its environment.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
