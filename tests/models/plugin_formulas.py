"""What the plugins that ship compute, in numpy: overlaps, suppression, corners, crops."""
import math

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype(np.float64)))


def softmax(x, axis):
    e = np.exp(x.astype(np.float64) - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def normal(x, axes, epsilon):
    x = x.astype(np.float64)
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def overlap(a, b, unit):
    def area(box):
        return (box[2] - box[0] + unit) * (box[3] - box[1] + unit)
    a = np.concatenate([np.minimum(a[:2], a[2:]), np.maximum(a[:2], a[2:])])
    b = np.concatenate([np.minimum(b[:2], b[2:]), np.maximum(b[:2], b[2:])])
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]) + unit
    shared = max(size[0], 0) * max(size[1], 0)
    return shared / (area(a) + area(b) - shared) if shared > 0 else 0


def suppress(boxes, scores, keep, threshold, iou, background=-1, agnostic=False, top=None, unit=0, per_class=None):
    """Boxes [P, G, 4], scores [P, C]: rows (score, class, box), class by class, then the best of all."""
    groups = [list(range(scores.shape[1]))] if agnostic else [[c] for c in range(scores.shape[1])]
    found = []
    for classes in groups:
        order = sorted(((-scores[p, c], c, p) for c in classes if c != background for p in range(len(scores)) if threshold(scores[p, c])))
        kept = []
        for score, c, p in order[:top]:
            box = boxes[p, c if boxes.shape[1] > 1 else 0]
            if all(overlap(box, boxes[q, d if boxes.shape[1] > 1 else 0], unit) <= iou for _, d, q in kept):
                kept.append((score, c, p))
        found += kept[:per_class]
    return [(-s, c, p) for s, c, p in sorted(found)[:keep]]


def padded(boxes, scores, keep, empty=0, **rule):
    count, out, best, label = [], [], [], []
    for b, s in zip(boxes, scores):
        rows = suppress(b, s, keep, **rule)
        more = keep - len(rows)
        count.append([len(rows)])
        out.append([b[p, c if b.shape[1] > 1 else 0] for _, c, p in rows] + [[0] * 4] * more)
        best.append([score for score, _, _ in rows] + [0] * more)
        label.append([c for _, c, _ in rows] + [empty] * more)
    return np.array(count, np.int32), np.array(out, np.float32), np.array(best, np.float32), np.array(label, np.int32)


def corners(centres):
    return np.concatenate([centres[..., :2] - centres[..., 2:] / 2, centres[..., :2] + centres[..., 2:] / 2], -1)


def moved(changes, anchors):
    return np.concatenate([changes[..., :2] * anchors[..., 2:] + anchors[..., :2], np.exp(changes[..., 2:]) * anchors[..., 2:]], -1)


def centred(boxes):
    return np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], -1)


def bilinear(picture, row, column):
    top, left = int(math.floor(row)), int(math.floor(column))
    bottom, right = min(top + 1, picture.shape[0] - 1), min(left + 1, picture.shape[1] - 1)
    a, b = row - top, column - left
    return ((picture[top, left] * (1 - b) + picture[top, right] * b) * (1 - a)
            + (picture[bottom, left] * (1 - b) + picture[bottom, right] * b) * a)


def crop(picture, box, height, width):
    """[C, H, W] and y1, x1, y2, x2."""
    out = np.zeros((picture.shape[0], height, width))
    rows = np.linspace(box[0], box[2], height) if height > 1 else [(box[0] + box[2]) / 2]
    columns = np.linspace(box[1], box[3], width) if width > 1 else [(box[1] + box[3]) / 2]
    for i, y in enumerate(rows):
        for k, x in enumerate(columns):
            r, c = y * (picture.shape[1] - 1), x * (picture.shape[2] - 1)
            if 0 <= r <= picture.shape[1] - 1 and 0 <= c <= picture.shape[2] - 1:
                out[:, i, k] = [bilinear(p, r, c) for p in picture]
    return out


def pyramid(regions, maps, pooled, image, scale, ratio):
    """Detectron's: regions x1, y1, x2, y2 in pixels, centres at halves."""
    out = np.zeros((*regions.shape[:2], maps[0].shape[1], pooled, pooled))
    for n, rows in enumerate(regions):
        for r, (x1, y1, x2, y2) in enumerate(rows):
            level = int(np.clip(math.ceil(math.log2(max(math.sqrt((x2 - x1) * (y2 - y1)), 1e-9) / scale)) + 1, 0, 3))
            picture = maps[level][n]
            height, width = picture.shape[1:]
            top, left = y1 / image[0] * height - 0.5, x1 / image[1] * width - 0.5
            down, across = (y2 - y1) / image[0] * height / pooled, (x2 - x1) / image[1] * width / pooled
            for i in range(pooled):
                for k in range(pooled):
                    samples = [[bilinear(p, np.clip(top + down * (i + (a + 0.5) / ratio), 0, height - 1),
                                         np.clip(left + across * (k + (b + 0.5) / ratio), 0, width - 1))
                                for a in range(ratio) for b in range(ratio)] for p in picture]
                    out[n, r, :, i, k] = np.mean(samples, 1)
    return out


def pooled_regions(picture, regions, scale, height, width):
    out = np.zeros((len(regions), picture.shape[0], height, width))
    away = lambda value: math.floor(value + 0.5)
    for r, region in enumerate(regions):
        x1, y1, x2, y2 = (away(value * scale) for value in region)
        down, across = max(y2 - y1 + 1, 1) / height, max(x2 - x1 + 1, 1) / width
        for i in range(height):
            for k in range(width):
                part = picture[:, max(math.floor(i * down) + y1, 0):math.ceil((i + 1) * down) + y1,
                               max(math.floor(k * across) + x1, 0):math.ceil((k + 1) * across) + x1]
                out[r, :, i, k] = part.max((1, 2)) if part.size else 0
    return out
