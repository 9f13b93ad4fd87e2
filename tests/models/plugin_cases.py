"""A case or more for each plugin that ships: its fields, its inputs, the results of its formula; and fields that do not fit."""
import math

import numpy as np

from plugin_formulas import bilinear, centred, corners, crop, moved, normal, padded, pooled_regions, pyramid, sigmoid, softmax, suppress

CASES, REFUSED = [], []


def case(name, plugin, inputs, wanted, **fields):
    CASES.append((name, plugin, inputs, wanted, fields))


def refused(plugin, inputs, said, **fields):
    REFUSED.append((plugin, inputs, said, fields))


def element_cases(floats):
    x = floats(2, 3, 4, 5)
    case("leaky_relu", "LReLU_TRT", [x], [np.where(x < 0, 0.3 * x, x)], negSlope=0.3)
    case("clip", "Clip_TRT", [x], [np.clip(x, -0.5, 0.25)], clipMin=-0.5, clipMax=0.25)
    bias = floats(5)
    gelu = lambda v: v / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v ** 3)))
    case("gelu", "CustomGeluPluginDynamic", [x], [gelu(x)], type_id=0)
    case("gelu_bias", "CustomGeluPluginDynamic", [x], [gelu(x + bias)], type_id=0, bias=bias)
    refused("LReLU_TRT", [x], "there is no field 'slope'; accepted: negSlope", slope=0.1)
    refused("Clip_TRT", [x], "field 'clipMin' is missing; a number is accepted", clipMax=1.0)
    refused("Clip_TRT", [x], "field 'clipMin' is \"low\"; a number is accepted", clipMin="low", clipMax=1.0)
    refused("LReLU_TRT", [x], "the version of plugin 'LReLU_TRT' is \"9\"; accepted: 1", plugin_version="9")
    refused("LReLU_TRT", [x, x], "2 operands; 1 are accepted", negSlope=0.1)


def normalization_cases(floats, random):
    x = floats(2, 6, 4, 5)
    weights = floats(6)
    row = weights.reshape(1, 6, 1, 1)
    squares = lambda axes: np.sqrt((x.astype(np.float64) ** 2).sum(axes, keepdims=True) + 1e-3)
    case("normalize", "Normalize_TRT", [x], [x / squares(1) * row], weights=weights, acrossSpatial=0, channelShared=0, eps=1e-3)
    case("normalize_shared", "Normalize_TRT", [x], [x / squares((1, 2, 3)) * 1.5], weights=[1.5], acrossSpatial=1, channelShared=1, eps=1e-3, nbWeights=1)
    refused("Normalize_TRT", [x], "field 'weights' has 4 elements; 6 are accepted", weights=floats(4), acrossSpatial=0, channelShared=0)
    bias = floats(6)
    y = normal(x, (2, 3), 1e-3) * row + bias.reshape(1, 6, 1, 1)
    case("instance", "InstanceNormalization_TRT", [x], [y], epsilon=1e-3, scales=weights, bias=bias)
    case("instance_relu", "InstanceNormalization_TRT", [x], [np.where(y < 0, 0.2 * y, y)], epsilon=1e-3, scales=weights, bias=bias, relu=1,
         alpha=0.2, plugin_version="3")
    grouped = normal(x.reshape(2, 3, -1), 2, 1e-3).reshape(x.shape) * row + bias.reshape(1, 6, 1, 1)
    case("group", "GroupNormalizationPlugin", [x, weights.reshape(1, 6, 1, 1), bias.reshape(1, 6, 1, 1)], [grouped], eps=1e-3, num_groups=3)
    refused("GroupNormalizationPlugin", [x, weights, bias], "field 'num_groups' is 4; a divisor of 6 is accepted", num_groups=4)
    last, gamma, beta = floats(3, 4, 8), floats(8), floats(8)
    case("layer", "LayerNorm", [last, gamma, beta], [normal(last, 2, 1e-4) * gamma + beta], epsilon=1e-4)
    skip, more = floats(3, 4, 8), floats(8)
    tiny = float(np.finfo(np.float32).eps)
    wanted = normal(last + skip + more, 2, tiny) * gamma + beta
    case("skip_layer", "CustomSkipLayerNormPluginDynamic", [last, skip], [wanted], type_id=0, ld=8, beta=beta, gamma=gamma, bias=more)
    case("skip_layer_rank5", "CustomSkipLayerNormPluginDynamic", [v.reshape(3, 4, 8, 1, 1) for v in (last, skip)],
         [(normal(last + skip, 2, tiny) * gamma + beta).reshape(3, 4, 8, 1, 1)], type_id=0, beta=beta, gamma=gamma)
    words, kinds, places = floats(11, 8), floats(2, 8), floats(6, 8)
    ids, types = random.integers(0, 11, (5, 3)).astype(np.int32), random.integers(0, 2, (5, 3)).astype(np.int32)
    mask = (np.arange(5).reshape(5, 1) < np.array([5, 2, 3])).astype(np.int32)
    case("embedding", "CustomEmbLayerNormPluginDynamic", [ids, types, mask],
         [(normal(words[ids] + kinds[types] + places[:5, None], 2, tiny) * gamma + beta)[..., None, None], np.array([5, 2, 3], np.int32)],
         bert_embeddings_layernorm_beta=beta, bert_embeddings_layernorm_gamma=gamma, bert_embeddings_word_embeddings=words,
         bert_embeddings_token_type_embeddings=kinds, bert_embeddings_position_embeddings=places, output_fp16=0, full_mask=0)


def rearranging_cases(floats, random):
    x = floats(2, 4, 6, 8)
    blocks = np.zeros((2, 16, 3, 4), np.float32)
    for place in range(4):
        blocks[:, place * 4:place * 4 + 4] = x[:, :, place // 2::2, place % 2::2]
    case("reorg", "Reorg_TRT", [x], [blocks], stride=2)
    other = floats(2, 3, 2, 2)
    flat = np.concatenate([x.reshape(2, -1), other.reshape(2, -1)], 1)
    case("flatten_concat", "FlattenConcat_TRT", [x, other], [flat.reshape(2, -1, 1, 1)], axis=1, ignoreBatch=0)
    refused("FlattenConcat_TRT", [x], "field 'axis' is 0; 1 to 3 is accepted", axis=0)
    case("split", "Split", [x], [x[..., :3], x[..., 3:4], x[..., 4:]], axis=-1, output_lengths=[3, 1, 4])
    refused("Split", [x], "field 'output_lengths' adds up to 3; 8 is accepted", axis=3, output_lengths=[1, 2])
    case("special_slice", "SpecialSlice_TRT", [floats(2, 5, 6)], lambda v: [v[..., :4]])
    for scale in (2.0, 1.5):
        rows, columns = int(6 * scale), int(8 * scale)
        case(f"resize_nearest_{scale}", "ResizeNearest_TRT", [x],
             [x[:, :, (np.arange(rows) / scale).astype(int)][..., (np.arange(columns) / scale).astype(int)]], scale=scale)
    data, places, updates = floats(4, 5), np.array([[2], [0]], np.int64), floats(2, 5)
    written = data.copy()
    written[places[:, 0]] = updates
    case("scatter_nd", "ScatterND", [data, places, updates], [written])
    index, values = random.integers(0, 4, (6, 5)).astype(np.int64), floats(6, 5)
    summed = data.copy()
    np.add.at(summed, (index, np.broadcast_to(np.arange(5), (6, 5))), values)
    case("scatter_elements", "ScatterElements", [data, index, values], [summed], reduction="sum", axis=0)
    refused("ScatterElements", [data, index, values], "field 'reduction' is 'mean'; add, mul, min and max are accepted", reduction="mean")
    rows, columns = np.meshgrid(np.linspace(-1, 1, 6), np.linspace(-1, 1, 8), indexing="ij")
    grid = np.broadcast_to(np.stack([rows, columns]), (2, 2, 6, 8))
    case("coord_conv", "CoordConvAC", [x], [np.concatenate([x, grid], 1)])


def anchors_of(shapes, ratios, least, most, variance):
    out = []
    for k, (height, width) in enumerate(shapes):
        scale = lambda i: least + (most - least) * i / (len(shapes) - 1)
        sizes = [(0.1, ratios[0]), (least, ratios[1]), (least, ratios[2])] if k == 0 else [(scale(k), r) for r in ratios] + [
            (math.sqrt(scale(k) * (1 if k == len(shapes) - 1 else scale(k + 1))), 1)]
        rows = [[(column + 0.5) / width - s * math.sqrt(r) / 2, (row + 0.5) / height - s / math.sqrt(r) / 2,
                 (column + 0.5) / width + s * math.sqrt(r) / 2, (row + 0.5) / height + s / math.sqrt(r) / 2]
                for row in range(height) for column in range(width) for s, r in sizes]
        out.append(np.stack([np.array(rows).ravel(), np.tile(variance, len(rows))]).reshape(1, 2, -1, 1))
    return out


def anchor_cases(floats):
    ratios, variance = [1.0, 2.0, 0.5, 3.0], [0.1, 0.1, 0.2, 0.2]
    x = floats(1, 2, 3, 3)
    case("grid_anchor", "GridAnchor_TRT", [x], anchors_of([(3, 3), (2, 2), (1, 1)], ratios, 0.2, 0.95, variance), minSize=0.2, maxSize=0.95,
         aspectRatios=ratios, featureMapShapes=[3, 2, 1], variance=variance, numLayers=3)
    case("grid_anchor_rect", "GridAnchorRect_TRT", [x], anchors_of([(3, 4), (2, 1)], ratios, 0.1, 0.8, variance), minSize=0.1, maxSize=0.8,
         aspectRatios=ratios, featureMapShapes=[3, 4, 2, 1], variance=variance, numLayers=2)
    refused("GridAnchor_TRT", [x], "field 'featureMapShapes' has 2 elements; 3 are accepted", featureMapShapes=[1, 2], numLayers=3)
    rows = []
    for row in range(2):
        for column in range(3):
            for width, height in ((10, 10), (math.sqrt(200), math.sqrt(200)), (10 * math.sqrt(2), 10 / math.sqrt(2)), (10 / math.sqrt(2), 10 * math.sqrt(2))):
                cx, cy = (column + 0.5) * 16, (row + 0.5) * 16
                rows.append([(cx - width / 2) / 48, (cy - height / 2) / 32, (cx + width / 2) / 48, (cy + height / 2) / 32])
    case("prior_box", "PriorBox_TRT", [floats(1, 4, 2, 3), floats(1, 3, 32, 48)],
         [np.stack([np.array(rows).ravel(), np.tile(variance, len(rows))]).reshape(1, 2, -1, 1)], minSize=[10.0], maxSize=[20.0],
         aspectRatios=[2.0], flip=1, clip=0, variance=variance, offset=0.5)


def boxes_in(random, *shape, size=1.0):
    low = random.uniform(0, 0.7, (*shape, 2))
    return (np.concatenate([low, low + random.uniform(0.05, 0.5, (*shape, 2))], -1) * size).astype(np.float32)


def nms_cases(random):
    above = lambda limit: lambda score: score > limit
    least = lambda limit: lambda score: score >= limit
    for groups, pixels in ((1, 0), (5, 0), (1, 1)):
        boxes = boxes_in(random, 2, 40, groups, size=100.0 if pixels else 1.1)
        scores = random.uniform(0, 1, (2, 40, 5)).astype(np.float32)
        fields = dict(shareLocation=int(groups == 1), backgroundLabelId=0, numClasses=5, topK=15, keepTopK=30, scoreThreshold=0.3,
                      iouThreshold=0.4, isNormalized=1 - pixels)
        count, out, best, label = padded(boxes, scores, 30, empty=-1, threshold=above(0.3), iou=0.4, background=0, top=15, unit=pixels)
        out = out if pixels else np.clip(out, 0, 1)
        case(f"batched_nms_{groups}_{pixels}", "BatchedNMS_TRT", [boxes, scores], [count[:, 0], out, best, label.astype(np.float32)], **fields)
        case(f"batched_nms_dynamic_{groups}_{pixels}", "BatchedNMSDynamic_TRT", [boxes, scores], [count, out, best, label.astype(np.float32)], **fields)
    refused("BatchedNMS_TRT", [boxes, scores], "field 'numClasses' is 7; scores are [2,40,5]", numClasses=7, keepTopK=5)
    boxes, scores = boxes_in(random, 2, 60), random.uniform(0, 1, (2, 60, 4)).astype(np.float32)
    rule = dict(threshold=least(0.25), iou=0.5)
    fields = dict(score_threshold=0.25, iou_threshold=0.5, max_output_boxes=50)
    case("efficient", "EfficientNMS_TRT", [boxes, scores], padded(boxes[:, :, None], scores, 50, **rule), **fields)
    case("efficient_agnostic", "EfficientNMS_TRT", [boxes, scores], padded(boxes[:, :, None], scores, 50, agnostic=True, background=2, **rule),
         class_agnostic=1, background_class=2, **fields)
    raw = random.standard_normal((2, 60, 4)).astype(np.float32)
    active = sigmoid(raw).astype(np.float32)
    case("efficient_activated", "EfficientNMS_TRT", [boxes, raw], padded(boxes[:, :, None], active, 50, **rule), score_activation=1, **fields)
    changes = (random.standard_normal((2, 60, 4)) * 0.2).astype(np.float32)
    anchors = centred(boxes_in(random, 1, 60)).astype(np.float32)
    found = corners(moved(changes, anchors)).astype(np.float32)
    case("efficient_decoded", "EfficientNMS_TRT", [changes, scores, anchors], padded(found[:, :, None], scores, 50, **rule), box_coding=1, **fields)
    refused("EfficientNMS_TRT", [boxes, scores], "field 'box_coding' is 2; 0 to 1 is accepted", box_coding=2)
    rows = [(n, c, p) for n in range(2) for _, c, p in suppress(boxes[n][:, None], scores[n], 7, per_class=7, **rule)]
    rows += [(-1, -1, -1)] * (14 - len(rows))
    case("efficient_onnx", "EfficientNMS_ONNX_TRT", [boxes, scores.transpose(0, 2, 1).copy()], [np.array(rows, np.int32)], score_threshold=0.25,
         iou_threshold=0.5, max_output_boxes_per_class=7, center_point_box=0)
    ssd_cases(random, above)


def ssd_cases(random, above):
    priors = boxes_in(random, 30)
    variance = np.tile(np.array([0.1, 0.1, 0.2, 0.2], np.float32), (30, 1))
    changes = random.standard_normal((2, 30, 4)).astype(np.float32)
    scores = random.uniform(0, 1, (2, 30, 3)).astype(np.float32)
    size = np.concatenate([priors[:, 2:] - priors[:, :2]] * 2, 1)
    swapped = (changes * variance)[..., [1, 0, 3, 2]]
    decoded = [priors + changes * variance, corners(moved(changes * variance, centred(priors))), priors + changes * variance * size,
               corners(moved(swapped, centred(priors)))]
    for code, boxes in enumerate(decoded):
        count, out, best, label = padded(boxes.astype(np.float32)[:, :, None], scores, 20, empty=-1, threshold=above(0.2), iou=0.45, background=0, top=25)
        rows = np.concatenate([np.broadcast_to(np.arange(2.0).reshape(2, 1, 1), (2, 20, 1)), label[..., None], best[..., None], np.clip(out, 0, 1)], 2)
        fields = dict(shareLocation=1, varianceEncodedInTarget=0, backgroundLabelId=0, numClasses=3, topK=25, keepTopK=20,
                      confidenceThreshold=0.2, nmsThreshold=0.45, codeType=code)
        inputs = [changes.reshape(2, -1, 1, 1), scores.reshape(2, -1, 1, 1), np.stack([priors.ravel(), variance.ravel()]).reshape(1, 2, -1, 1)]
        wanted = [rows.reshape(2, 1, 20, 7), count.reshape(2, 1, 1, 1)]
        case(f"nms_code_{code}", "NMS_TRT", inputs, wanted, inputOrder=[0, 1, 2], **fields)
    per_class = random.standard_normal((2, 30, 3, 4)).astype(np.float32) * np.float32(0.3)  # a box for each class, variances within
    own = corners(moved(per_class, centred(priors)[:, None])).astype(np.float32)
    count, out, best, label = padded(own, scores, 12, empty=-1, threshold=above(0.3), iou=0.4, background=1, top=20)
    rows = np.concatenate([np.broadcast_to(np.arange(2.0).reshape(2, 1, 1), (2, 12, 1)), label[..., None], best[..., None], np.clip(out, 0, 1)], 2)
    case("nms_dynamic", "NMSDynamic_TRT", [per_class.reshape(2, -1, 1, 1), *inputs[1:]], [rows.reshape(2, 1, 12, 7), count.reshape(2, 1, 1, 1)],
         shareLocation=0, varianceEncodedInTarget=1, backgroundLabelId=1, numClasses=3, topK=20, keepTopK=12, confidenceThreshold=0.3,
         nmsThreshold=0.4, codeType=1)
    case("nms_order", "NMS_TRT", [inputs[2], inputs[0], inputs[1]], wanted, inputOrder=[1, 2, 0], **fields)
    refused("NMS_TRT", inputs, "field 'codeType' is 4; 0 to 3 is accepted", numClasses=3, keepTopK=1, codeType=4)
    refused("NMS_TRT", inputs, "field 'inputOrder' holds 2 numbers; 0, 1 and 2 in any order are accepted", numClasses=3, keepTopK=1, inputOrder=[0, 1])


def head_cases(floats, random):
    x = floats(2, 3 * (5 + 4), 2, 3)
    y = x.reshape(2, 3, 9, 2, 3)
    region = np.concatenate([sigmoid(y[:, :, :2]), y[:, :, 2:4], sigmoid(y[:, :, 4:5]), softmax(y[:, :, 5:], 2)], 2).reshape(x.shape)
    case("region", "Region_TRT", [x], [region], num=3, coords=4, classes=4)
    refused("Region_TRT", [x], "operand 0 is [2,27,2,3]; 24 channels are accepted", num=3, classes=3)
    heads, strides = [floats(2, 18, 4, 6), floats(2, 18, 2, 3)], [8.0, 16.0]
    anchors = np.array([[10, 13, 16, 30], [33, 23, 30, 61]], np.float32)
    for version in (3, 5):
        boxes, scores = [], []
        for head, stride, sizes in zip(heads, strides, anchors):
            height, width = head.shape[2:]
            t = head.reshape(2, 2, 9, height, width).transpose(0, 3, 4, 1, 2)
            grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(1, height, width, 1, 2)
            centre = (sigmoid(t[..., :2]) + grid if version == 3 else 2 * sigmoid(t[..., :2]) - 0.5 + grid) * stride
            extent = (np.exp(t[..., 2:4]) if version == 3 else (2 * sigmoid(t[..., 2:4])) ** 2) * sizes.reshape(1, 1, 1, 2, 2)
            boxes.append(corners(np.concatenate([centre, extent], -1)).reshape(2, -1, 4))
            scores.append((sigmoid(t[..., 5:]) * sigmoid(t[..., 4:5])).reshape(2, -1, 4))
        case(f"yolo_{version}", "YoloDecode", heads, [np.concatenate(boxes, 1), np.concatenate(scores, 1)], model=version, strides=strides,
             anchors=[float(v) for v in anchors.ravel()])
    heads = [floats(2, 4 * 8 + 3, 4, 6), floats(2, 4 * 8 + 3, 2, 3)]
    boxes, scores = [], []
    for head, stride in zip(heads, strides):
        height, width = head.shape[2:]
        distance = (softmax(head[:, :32].reshape(2, 4, 8, -1), 2) * np.arange(8).reshape(1, 1, 8, 1)).sum(2).transpose(0, 2, 1)
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(1, -1, 2) + 0.5
        boxes.append(np.concatenate([grid - distance[..., :2], grid + distance[..., 2:]], -1) * stride)
        scores.append(sigmoid(head[:, 32:].reshape(2, 3, -1)).transpose(0, 2, 1))
    case("yolo_8", "YoloDecode", heads, [np.concatenate(boxes, 1), np.concatenate(scores, 1)], model=8, strides=strides, bins=8)
    refused("YoloDecode", heads, "field 'model' is 4; 3, 5 and 8 are accepted", model=4)
    refused("YoloDecode", heads, "field 'strides' has 1 elements; one for each of 2 operands is accepted", model=8, strides=[8.0])
    flat = np.concatenate([centred(boxes_in(random, 2, 30, size=64.0)), random.uniform(0, 1, (2, 30, 3))], 2).astype(np.float32)
    case("yolo_8_exported", "YoloDecode", [flat.transpose(0, 2, 1).copy()], [corners(flat[..., :4]), flat[..., 4:]], model=8)
    objects = np.concatenate([flat[..., :4], random.uniform(0, 1, (2, 30, 4))], 2).astype(np.float32)
    case("yolo_5_exported", "YoloDecode", [objects], [corners(objects[..., :4]), objects[..., 5:] * objects[..., 4:5]], model=5)
    points = floats(2, 30, 2 * 3)
    pose = np.concatenate([flat[..., :5], points], 2).astype(np.float32)
    around = corners(pose[..., :4]).astype(np.float32)
    count, out, best, label = padded(around[:, :, None], pose[..., 4:5], 12, threshold=lambda s: s > 0.3, iou=0.5)
    shown = np.zeros((2, 12, 2, 3), np.float32)
    for n in range(2):
        for k, (_, _, p) in enumerate(suppress(around[n][:, None], pose[n, :, 4:5], 12, threshold=lambda s: s > 0.3, iou=0.5)):
            shown[n, k] = points[n, p].reshape(2, 3)
    case("yolo_pose", "YoloPoseDecode", [pose.transpose(0, 2, 1).copy()], [count, out, best, label, shown], points=2, values=3, score_threshold=0.3,
         iou_threshold=0.5, max_output_boxes=12)


def region_cases(floats, random):
    x = floats(2, 3, 9, 11)
    regions = boxes_in(random, 2, 5)
    wanted = np.stack([np.stack([crop(picture, box, 4, 3) for box in rows]) for picture, rows in zip(x, regions)])
    for name in ("CropAndResize", "CropAndResizeDynamic"):
        case(name.lower(), name, [x, regions[..., None]], [wanted], crop_width=3, crop_height=4)
    boxes, batch = boxes_in(random, 6, size=28.0), random.integers(0, 2, 6).astype(np.int64)
    out = np.zeros((6, 3, 2, 2))
    for r, (x1, y1, x2, y2) in enumerate(boxes.astype(np.float64) * 0.25):
        for i in range(2):
            for k in range(2):
                samples = [[bilinear(p, np.clip(y1 - 0.5 + (y2 - y1) / 2 * (i + (a + 0.5) / 2), 0, 8), np.clip(x1 - 0.5 + (x2 - x1) / 2 * (k + (b + 0.5) / 2), 0, 10))
                            for a in range(2) for b in range(2)] for p in x[batch[r]]]
                out[r, :, i, k] = np.mean(samples, 1)
    case("roi_align", "ROIAlign_TRT", [x, boxes, batch], [out], output_height=2, output_width=2, sampling_ratio=2, spatial_scale=0.25)
    maps = [floats(2, 3, 32 >> k, 48 >> k) for k in range(4)]
    rois = boxes_in(random, 2, 8, size=96.0)
    rois[:, :4] *= 0.2
    case("pyramid", "PyramidROIAlign_TRT", [rois, *maps], [pyramid(rois.astype(np.float64), maps, 3, (128, 192), 32, 2)], pooled_size=3, fpn_scale=32,
         image_size=[128, 192], sampling_ratio=2, roi_coords_transform=2)
    proposal_cases(floats, random)
    deformable_cases(floats, random)
    value, shapes, starts = floats(2, 6 * 4 + 3 * 2, 2, 5), np.array([[6, 4], [3, 2]], np.int32), np.array([0, 24], np.int32)
    places, weights = random.uniform(-0.1, 1.1, (2, 7, 2, 2, 3, 2)).astype(np.float32), random.uniform(0, 1, (2, 7, 2, 2, 3)).astype(np.float32)
    out = np.zeros((2, 7, 2, 5))
    for n, q, m, l, p in np.ndindex(2, 7, 2, 2, 3):
        height, width = shapes[l]
        picture = np.pad(value[n, starts[l]:starts[l] + height * width, m].reshape(height, width, 5), ((1, 1), (1, 1), (0, 0)))
        row, column = places[n, q, m, l, p, 1] * height + 0.5, places[n, q, m, l, p, 0] * width + 0.5
        if 0 < row < height + 1 and 0 < column < width + 1:
            out[n, q, m] += weights[n, q, m, l, p] * bilinear(picture.astype(np.float64), row, column)
    case("deformable_attention", "MultiscaleDeformableAttnPlugin_TRT", [value, shapes, starts, places, weights], [out])


def deformable_cases(floats, random):
    """Each tap of the kernel reads where its offset says, times its mask; nothing is outside of the picture."""
    x, weights, bias = floats(2, 4, 6, 7), floats(6, 2, 3, 2), floats(6)
    high, wide = (6 + 2 - 2 - 1) // 2 + 1, (7 + 2 - 2 * 1 - 1) // 1 + 1
    offsets, mask = floats(2, 2 * 2 * 6, high, wide), random.uniform(0, 1, (2, 2 * 6, high, wide)).astype(np.float32)
    out = np.zeros((2, 6, high, wide))
    for n, o, i, k in np.ndindex(2, 6, high, wide):
        total = float(bias[o])
        for c, a, b in np.ndindex(2, 3, 2):
            channel = 2 * (o // 3) + c
            tap = (channel // 2) * 6 + a * 2 + b
            row = i * 2 - 1 + a + float(offsets[n, 2 * tap, i, k])
            column = k - 1 + b * 2 + float(offsets[n, 2 * tap + 1, i, k])
            if -1 < row < 6 and -1 < column < 7:
                picture = np.pad(x[n, channel].astype(np.float64), 1)
                total += float(weights[o, c, a, b]) * float(mask[n, tap, i, k]) * bilinear(picture, row + 1, column + 1)
        out[n, o, i, k] = total
    case("deformable_convolution", "ModulatedDeformConv2d", [x, offsets, mask, weights, bias], [out], stride=[2, 1], padding=[1, 1], dilation=[1, 2],
         group=2, deformable_group=2)


def proposal_cases(floats, random):
    scores, changes = random.uniform(0, 1, (2, 4, 3, 5)).astype(np.float32), floats(2, 16, 3, 5) * np.float32(0.3)
    sizes = [(s * r, s / r) for s in (16.0, 32.0) for r in (1.0, 2.0)]
    grid = np.array([[(k + 0.5) * 16, (i + 0.5) * 16, w, h] for w, h in sizes for i in range(3) for k in range(5)])
    found = corners(moved(changes.reshape(2, 4, 4, 3, 5).transpose(0, 1, 3, 4, 2).reshape(2, -1, 4).astype(np.float64), grid))
    found = np.clip(found, 0, [79, 47, 79, 47]).astype(np.float32)
    fits = ((found[..., 2:] - found[..., :2]) > 4).all(-1)
    rank = np.where(fits, scores.reshape(2, -1), -np.inf)[..., None]
    _, boxes, _, _ = padded(found[:, :, None], rank, 12, threshold=lambda s: s > -1e30, iou=0.5, top=30, unit=1)
    case("proposal", "Proposal", [scores, changes], [(boxes / np.array([79, 47, 79, 47]))[..., [1, 0, 3, 2], None]], input_height=48, input_width=80,
         rpn_stride=16, roi_min_size=4.0, nms_iou_threshold=0.5, pre_nms_top_n=30, post_nms_top_n=12, anchor_sizes=[16.0, 32.0], anchor_ratios=[1.0, 2.0])
    scores, changes = random.uniform(0, 1, (2, 3, 4, 4)).astype(np.float32), floats(2, 12, 4, 4) * np.float32(0.2)
    sizes = [(24.0 * r, 24.0 / r) for r in (0.5, 1.0, 1.5)]
    grid = np.array([[(k + 0.5) * 8, (i + 0.5) * 8, w, h] for w, h in sizes for i in range(4) for k in range(4)])
    found = corners(moved(changes.reshape(2, 3, 4, 4, 4).transpose(0, 1, 3, 4, 2).reshape(2, -1, 4).astype(np.float64), grid))
    found = np.clip(found, 0, 31).astype(np.float32)
    fits = ((found[..., 2:] - found[..., :2]) > 2).all(-1)
    rank = np.where(fits, scores.reshape(2, -1), -np.inf)[..., None]
    _, boxes, _, _ = padded(found[:, :, None], rank, 8, threshold=lambda s: s > -1e30, iou=0.4, top=20, unit=1)
    case("proposal_dynamic", "ProposalDynamic", [scores, changes], [(boxes / 31)[..., [1, 0, 3, 2], None]], input_height=32, input_width=32, rpn_stride=8,
         roi_min_size=2.0, nms_iou_threshold=0.4, pre_nms_top_n=20, post_nms_top_n=8, anchor_sizes=[24.0], anchor_ratios=[0.5, 1.0, 1.5])
    both, features, changes, facts = random.uniform(0, 1, (2, 8, 3, 5)).astype(np.float32), floats(2, 3, 3, 5), floats(2, 16, 3, 5) * np.float32(0.3), np.array([[48, 80, 1], [40, 70, 2]], np.float32)
    sizes = [(round(16 / math.sqrt(r)) * s, round(round(16 / math.sqrt(r)) * r) * s) for r in (0.5, 2.0) for s in (1.0, 2.0)]
    grid = np.array([[k * 16 + 7.5, i * 16 + 7.5, w, h] for w, h in sizes for i in range(3) for k in range(5)])
    found = corners(moved(changes.reshape(2, 4, 4, 3, 5).transpose(0, 1, 3, 4, 2).reshape(2, -1, 4).astype(np.float64), grid))
    found = np.clip(found, 0, facts[:, None][..., [1, 0, 1, 0]] - 1).astype(np.float32)
    fits = ((found[..., 2:] - found[..., :2]) + 1 >= 6 * facts[:, 2].reshape(2, 1, 1)).all(-1)
    rank = np.where(fits, both[:, 4:].reshape(2, -1), -np.inf)[..., None]
    _, boxes, _, _ = padded(found[:, :, None], rank, 10, threshold=lambda s: s > -1e30, iou=0.6, top=40, unit=1)
    pooled = np.stack([pooled_regions(features[n], boxes[n], 0.0625, 2, 3) for n in range(2)])
    case("rproi", "RPROI_TRT", [both, changes, features, facts], [boxes[:, None], pooled], poolingH=2, poolingW=3, featureStride=16, preNmsTop=40,
         nmsMaxOut=10, anchorsRatioCount=2, anchorsScaleCount=2, iouThreshold=0.6, minBoxSize=6.0, spatialScale=0.0625, anchorsRatios=[0.5, 2.0],
         anchorsScales=[1.0, 2.0])
    anchors = []
    for level in range(5):
        for y in range(0, 64, 4 << level):
            for x in range(0, 48, 4 << level):
                for r in (0.5, 1, 2):
                    h, w = (32 << level) / math.sqrt(r), (32 << level) * math.sqrt(r)
                    anchors.append([(y - h / 2) / 63, (x - w / 2) / 47, (y + h / 2 - 1) / 63, (x + w / 2 - 1) / 47])
    anchors = np.array(anchors, np.float32)
    count = len(anchors)
    score, delta = random.uniform(0, 1, (1, count, 2, 1)).astype(np.float32), floats(1, count, 4, 1)
    units = np.array([0.1, 0.1, 0.2, 0.2])
    found = np.clip(corners(moved(delta[..., 0] * units, centred(anchors))), 0, 1).astype(np.float32)
    _, boxes, _, _ = padded(found[:, :, None], score[:, :, 1], 15, threshold=lambda s: s > -1, iou=0.7, top=60)
    case("proposal_layer", "ProposalLayer_TRT", [score, delta], [boxes], prenms_topk=60, keep_topk=15, iou_threshold=0.7, image_size=[3, 64, 48])
    regions, delta, score = boxes_in(random, 2, 25), floats(2, 25, 12, 1, 1), random.uniform(0, 1, (2, 25, 3, 1, 1)).astype(np.float32)
    found = np.clip(corners(moved(delta.reshape(2, 25, 3, 4) * units, centred(regions)[:, :, None])), 0, 1).astype(np.float32)
    own = np.where(score[..., 0, 0] == score[..., 0, 0].max(2, keepdims=True), score[..., 0, 0], -np.inf)
    _, boxes, best, label = padded(found, own, 10, threshold=lambda s: s >= 0.4, iou=0.3, background=0)
    case("detection_layer", "DetectionLayer_TRT", [delta, score, regions], [np.concatenate([boxes, label[..., None], best[..., None]], 2)],
         num_classes=3, keep_topk=10, score_threshold=0.4, iou_threshold=0.3)


def fill():
    random = np.random.default_rng(5)
    floats = lambda *shape: random.standard_normal(shape).astype(np.float32)
    element_cases(floats)
    normalization_cases(floats, random)
    rearranging_cases(floats, random)
    anchor_cases(floats)
    nms_cases(random)
    head_cases(floats, random)
    region_cases(floats, random)
