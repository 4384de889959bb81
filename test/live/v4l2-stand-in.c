/*
 * Stands in for the kernel's V4L2 devices where no module can be loaded: preloaded into ffmpeg, it answers what ffmpeg's own v4l2 input and
 * output ask of the two files that are named as devices. CAMERA gives the I420 pictures of CAMERA_PICTURES in a loop, at CAMERA_FPS;
 * SINK takes pictures of any size as they are written. A camera is opened by one process at a time, as real ones are (EBUSY).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BUFFERS 4

static int camera = -1, sink = -1, pictures = -1;
static unsigned width, height, fps, queued[BUFFERS], first, count;
static size_t length;
static off_t at;
static void *memory[BUFFERS];
static struct timespec due;

static int opened(const char *path, int flags, mode_t mode) {
  int fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  const char *cameraPath = getenv("CAMERA"), *sinkPath = getenv("SINK");
  if (fd < 0) return fd;
  if (cameraPath && !strcmp(path, cameraPath)) {
    if (flock(fd, LOCK_EX | LOCK_NB)) {
      close(fd);
      errno = EBUSY;
      return -1;
    }
    camera = fd;
    sscanf(getenv("CAMERA_SIZE"), "%ux%u", &width, &height);
    fps = atoi(getenv("CAMERA_FPS"));
    length = width * height * 3 / 2;
    pictures = syscall(SYS_openat, AT_FDCWD, getenv("CAMERA_PICTURES"), O_RDONLY, 0);
  } else if (sinkPath && !strcmp(path, sinkPath)) {
    sink = fd;
    lseek(fd, 0, SEEK_END);
  }
  return fd;
}

int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return opened(path, flags, mode);
}

/* What a program that was built with _FORTIFY_SOURCE calls. */
int __open_2(const char *path, int flags) { return opened(path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(path, flags, 0); }

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
  if (fd < 0 || fd != camera) return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
  void *made = (void *)syscall(SYS_mmap, address, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory[offset / length] = made;
}

void *mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
  return mmap(address, size, protection, flags, fd, offset);
}

static void format(struct v4l2_format *f) {
  f->fmt.pix.width = width;
  f->fmt.pix.height = height;
  f->fmt.pix.pixelformat = V4L2_PIX_FMT_YUV420;
  f->fmt.pix.field = V4L2_FIELD_NONE;
  f->fmt.pix.bytesperline = width;
  f->fmt.pix.sizeimage = length;
}

static int dequeue(struct v4l2_buffer *b) {
  if (!count) {
    errno = EAGAIN;
    return -1;
  }
  if (!due.tv_sec) clock_gettime(CLOCK_MONOTONIC, &due);
  due.tv_nsec += 1000000000 / fps;
  if (due.tv_nsec >= 1000000000) {
    due.tv_sec++;
    due.tv_nsec -= 1000000000;
  }
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) {}
  b->index = queued[first];
  first = (first + 1) % BUFFERS;
  count--;
  if (pread(pictures, memory[b->index], length, at) != (ssize_t)length) {
    at = 0;
    if (pread(pictures, memory[b->index], length, at) != (ssize_t)length) {
      errno = EIO;
      return -1;
    }
  }
  at += length;
  b->bytesused = length;
  b->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  b->timestamp.tv_sec = due.tv_sec;
  b->timestamp.tv_usec = due.tv_nsec / 1000;
  return 0;
}

static int ask(unsigned long request, void *argument) {
  struct v4l2_buffer *buffer = argument;
  switch (request) {
    case VIDIOC_QUERYCAP: {
      struct v4l2_capability *c = argument;
      memset(c, 0, sizeof *c);
      strcpy((char *)c->card, "stand-in");
      c->capabilities = c->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
      return 0;
    }
    case VIDIOC_G_INPUT:
      *(int *)argument = 0;
      return 0;
    case VIDIOC_S_INPUT:
    case VIDIOC_STREAMON:
    case VIDIOC_STREAMOFF:
      return 0;
    case VIDIOC_ENUMINPUT:
      ((struct v4l2_input *)argument)->std = 0;
      return 0;
    case VIDIOC_G_FMT:
    case VIDIOC_S_FMT:
      format(argument);
      return 0;
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
      struct v4l2_streamparm *p = argument;
      p->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
      p->parm.capture.timeperframe.numerator = 1;
      p->parm.capture.timeperframe.denominator = fps;
      return 0;
    }
    case VIDIOC_REQBUFS:
      ((struct v4l2_requestbuffers *)argument)->count = BUFFERS;
      return 0;
    case VIDIOC_QUERYBUF:
      buffer->length = length;
      buffer->m.offset = buffer->index * length;
      return 0;
    case VIDIOC_QBUF:
      queued[(first + count++) % BUFFERS] = buffer->index;
      return 0;
    case VIDIOC_DQBUF:
      return dequeue(buffer);
  }
  errno = ENOTTY;
  return -1;
}

int ioctl(int fd, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  void *argument = va_arg(list, void *);
  va_end(list);
  // Requests are 32 bits wide; callers may extend their sign.
  request &= 0xffffffff;
  if (fd >= 0 && fd == camera) return ask(request, argument);
  if (fd >= 0 && fd == sink && (request == VIDIOC_G_FMT || request == VIDIOC_S_FMT)) return 0;
  return syscall(SYS_ioctl, fd, request, argument);
}
