/* A driver with one device, for a test: what the choice asks it. */
int cuInit(unsigned flags) { return flags == 0 ? 0 : 1; }
int cuDeviceGetCount(int* count) {
  *count = 1;
  return 0;
}
int cuDeviceGetName(char* name, int length, int device) {
  const char text[] = "a GPU for the test";
  for (int i = 0; i < length && i < (int)sizeof text; ++i) name[i] = text[i];
  return device;
}
int cuDeviceTotalMem_v2(unsigned long* bytes, int device) {
  *bytes = 1ul << 40;
  return device;
}
