"""Cases of operators.py about pictures, regions, windows and signals."""
import numpy as np


def picture_cases(case, floats, ints, random):
    resize_cases(case, floats, ints, random)
    pool_cases(case, floats, ints, random)
    region_cases(case, floats, ints)
    window_cases(case, floats, ints, random)
    signal_cases(case, floats, ints)
    grid_cases(case, floats, ints)
    computed_cases(case, floats, ints)


def resize_cases(case, floats, ints, random):
    x, small = floats(2, 3, 9, 7), ints(2, 3, 5, 4)
    coordinates = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric")
    for mode in ("linear", "cubic"):
        for name in coordinates[:4]:
            for exclude in (0, 1) if mode == "cubic" else (0,):
                case(f"resize_{mode}_{name}_{exclude}", "Resize", [x, None, None, ints(2, 3, 12, 5)], opset=19, constants=(3,), mode=mode,
                     coordinate_transformation_mode=name, exclude_outside=exclude)
    for name in coordinates:
        for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
            case(f"resize_nearest_{name}_{rounding}", "Resize", [x, None, None, ints(2, 3, 13, 5)], opset=19, constants=(3,), mode="nearest",
                 coordinate_transformation_mode=name, nearest_mode=rounding)
    for mode, exclude in (("linear", 0), ("cubic", 1)):
        case(f"resize_antialias_{mode}", "Resize", [x, None, None, small], opset=18, constants=(3,), mode=mode, antialias=1, exclude_outside=exclude)
        case(f"resize_antialias_up_{mode}", "Resize", [x, None, None, ints(2, 3, 5, 11)], opset=18, constants=(3,), mode=mode, antialias=1,
             exclude_outside=exclude)
    for policy in ("stretch", "not_larger", "not_smaller"):
        for mode in ("nearest", "linear"):
            case(f"resize_{policy}_{mode}", "Resize", [x, None, None, ints(11, 6)], opset=18, constants=(3,), mode=mode, axes=[2, 3],
                 keep_aspect_ratio_policy=policy)
    roi = np.array([0, 0, .2, -.1, 1, 1, .9, 1.2], np.float32)
    for mode in ("nearest", "linear", "cubic"):
        case(f"resize_crop_{mode}", "Resize", [x, roi, None, ints(2, 3, 6, 8)], opset=13, constants=(1, 3), mode=mode, extrapolation_value=7.5,
             coordinate_transformation_mode="tf_crop_and_resize")
    case("resize_axes_reversed", "Resize", [x, None, np.array([1.5, 2.], np.float32)], opset=18, constants=(2,), mode="linear", axes=[3, 2])
    case("resize_fraction", "Resize", [x, None, np.array([1, 1, 1.1, 1.7], np.float32)], opset=13, constants=(2,), mode="linear",
         coordinate_transformation_mode="asymmetric")
    for dtype in (np.uint8, np.int8, np.int32):
        case(f"resize_nearest_{np.dtype(dtype)}", "Resize", [random.integers(0, 99, (1, 2, 5, 6)).astype(dtype), None, None, ints(1, 2, 8, 9)],
             opset=13, constants=(3,), mode="nearest")
    case("resize_seven_tenths", "Resize", [floats(1, 1, 10, 20), None, np.array([1, 1, .7, .35], np.float32)], opset=13, constants=(2,), mode="nearest")
    case("upsample", "Upsample", [x, np.array([1, 1, 2, 3], np.float32)], opset=9, constants=(1,), mode="linear")


def pool_cases(case, floats, ints, random):
    x = floats(2, 3, 9, 8)
    for ceil in (0, 1):
        for include in (0, 1):
            case(f"average_pool_{ceil}{include}", "AveragePool", [x], opset=19, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 1], ceil_mode=ceil,
                 count_include_pad=include)
            case(f"average_pool_dilated_{ceil}{include}", "AveragePool", [x], opset=19, kernel_shape=[3, 2], strides=[2, 1], dilations=[2, 3],
                 pads=[1, 1, 1, 0], ceil_mode=ceil, count_include_pad=include)
        case(f"max_pool_dilated_{ceil}", "MaxPool", [x], outputs=2, kernel_shape=[3, 2], strides=[2, 2], dilations=[2, 3], ceil_mode=ceil)
    for pad in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        for op in ("MaxPool", "AveragePool", "LpPool"):
            case(f"{op}_{pad}", op, [x], kernel_shape=[3, 2], strides=[2, 3], auto_pad=pad)
        case(f"conv_transpose_{pad}", "ConvTranspose", [x, floats(3, 4, 3, 3)], constants=(1,), strides=[2, 3], auto_pad=pad)
    case("conv_transpose_shape", "ConvTranspose", [x, floats(3, 4, 3, 2)], constants=(1,), strides=[2, 3], output_shape=[18, 23])
    case("conv_transpose_shape_upper", "ConvTranspose", [x, floats(3, 4, 3, 2)], constants=(1,), strides=[2, 3], output_shape=[18, 23],
         auto_pad="SAME_UPPER")
    for rank, shape in ((1, (2, 3, 9)), (3, (1, 2, 5, 6, 7))):
        case(f"lp_pool_{rank}d", "LpPool", [floats(*shape)], opset=18, kernel_shape=[3] * rank, strides=[2] * rank, pads=[1] * 2 * rank, p=3)
        case(f"max_pool_{rank}d", "MaxPool", [floats(*shape)], outputs=2, kernel_shape=[3] * rank, strides=[2] * rank, pads=[1] * 2 * rank)
    for p in (1, 2):
        case(f"lp_pool_{p}", "LpPool", [x], opset=18, kernel_shape=[3, 2], dilations=[2, 1], pads=[1, 0, 1, 1], p=p)
    for p in (1, 2, 3):
        case(f"global_lp_pool_{p}", "GlobalLpPool", [x], p=p)
    for dtype in (np.uint8, np.int8):
        case(f"max_pool_{np.dtype(dtype)}", "MaxPool", [random.integers(0, 99, (1, 2, 5, 6)).astype(dtype)], kernel_shape=[2, 2], pads=[1, 1, 0, 0])
    case("max_unpool", "MaxUnpool", [x[:, :, :2, :2], (np.arange(24).reshape(2, 3, 2, 2) * 16 + 5) % (2 * 3 * 16)], kernel_shape=[2, 2], strides=[2, 2])


def region_cases(case, floats, ints):
    x = floats(2, 3, 9, 8)
    rois = np.array([[0, 0, 5, 6], [1.3, 2.2, 6.9, 7.4], [-2, -1, 3, 12], [4, 4, 4, 4.2]], np.float32)
    which = ints(0, 1, 1, 0)
    for mode in ("avg", "max"):
        for coordinates in ("half_pixel", "output_half_pixel"):
            for ratio in (0, 2):
                case(f"roi_align_{mode}_{coordinates}_{ratio}", "RoiAlign", [x, rois, which], opset=16, output_height=3, output_width=2, mode=mode,
                     sampling_ratio=ratio, spatial_scale=.7, coordinate_transformation_mode=coordinates)
    case("roi_align_10", "RoiAlign", [x, rois, which], opset=10, output_height=2, output_width=2, sampling_ratio=2)
    case("max_roi_pool", "MaxRoiPool", [x, np.concatenate([which[:, None].astype(np.float32), rois], 1)], pooled_shape=[3, 2], spatial_scale=.8)


def window_cases(case, floats, ints, random):
    case("col2im", "Col2Im", [floats(2, 3 * 6, 15), ints(6, 5), ints(2, 3)], opset=18, constants=(1, 2), strides=[2, 1], pads=[1, 0, 0, 2], dilations=[1, 1])
    case("col2im_dilated", "Col2Im", [floats(1, 8, 4), ints(5, 5), ints(2, 2)], opset=18, constants=(1, 2), strides=[2, 2], dilations=[2, 2])
    case("det", "Det", [floats(2, 3, 4, 4)])
    x, w = floats(2, 4, 6, 7), floats(6, 2, 3, 2)
    for groups in (1, 2):
        shift, mask = floats(2, groups * 12, 3, 6), floats(2, groups * 6, 3, 6)
        case(f"deform_conv_{groups}", "DeformConv", [x, w, shift, floats(6), mask], opset=19, constants=(1, 3), group=2, offset_group=groups, strides=[2, 1],
             pads=[1, 0, 0, 1], dilations=[1, 2])
    for target in ((4, 6, 10), (3, 7, 4), (5, 5, 5)):
        case(f"center_crop_pad {target}", "CenterCropPad", [floats(5, 5, 7), ints(*target)], opset=18, constants=(1,))
    case("center_crop_pad_axes", "CenterCropPad", [floats(3, 6, 5), ints(4, 9)], opset=18, constants=(1,), axes=[-1, 1])
    for mode in ("constant", "reflect", "edge", "wrap"):
        case(f"pad_{mode}", "Pad", [floats(3, 4, 5), ints(1, -1, 2, 0)] + ([None, ints(-1, 0)]), opset=19, constants=(1, 3), mode=mode)
    for reduction in ("none", "add", "mul", "max", "min"):
        for dtype in (np.float32, np.int64):
            values = random.integers(-9, 9, (3, 4)).astype(dtype)
            case(f"scatter_elements_{reduction}_{np.dtype(dtype)}", "ScatterElements", [values, random.integers(-4, 4, (3, 2)), values[:, :2]], opset=18,
                 axis=1, reduction=reduction)


def signal_cases(case, floats, ints):
    x = floats(2, 12, 5, 1)
    for length in (None, np.int64(7), np.int64(16)):
        for onesided in (0, 1):
            case(f"dft_{length}_{onesided}", "DFT", [x, length] if length is not None else [x], opset=17, constants=(1,), axis=1, onesided=onesided)
    z = floats(2, 6, 15, 2)
    case("dft_complex", "DFT", [z, None, np.int64(-2)], opset=20, constants=(2,))
    case("dft_inverse", "DFT", [z, None, np.int64(1)], opset=20, constants=(2,), inverse=1)
    signal = floats(2, 50, 1)
    window = np.hanning(16).astype(np.float32)
    case("stft", "STFT", [signal, np.int64(5), None, np.int64(16)], constants=(1, 3))
    case("stft_plain", "STFT", [signal[:, :, 0], np.int64(5), None, np.int64(16)], constants=(1, 3))
    case("stft_window", "STFT", [signal, np.int64(7), window], constants=(1, 2), onesided=0)
    for op in ("HannWindow", "HammingWindow", "BlackmanWindow"):
        for periodic in (0, 1):
            case(f"{op}_{periodic}", op, [np.int64(13)], constants=(0,), periodic=periodic)
    case("mel_weight_matrix", "MelWeightMatrix", [np.int64(10), np.int64(64), np.int64(8192), np.float32(20), np.float32(4000)], constants=range(5))


def grid_cases(case, floats, ints):
    for align in (0, 1):
        case(f"affine_grid_2d_{align}", "AffineGrid", [floats(2, 2, 3), ints(2, 3, 4, 5)], opset=20, constants=(1,), align_corners=align)
        case(f"affine_grid_3d_{align}", "AffineGrid", [floats(2, 3, 4), ints(2, 3, 4, 5, 6)], opset=20, constants=(1,), align_corners=align)
        for mode in ("nearest", "linear"):
            for padding in ("zeros", "border", "reflection"):
                case(f"grid_sample_3d_{mode}_{padding}_{align}", "GridSample", [floats(2, 3, 4, 5, 6), floats(2, 2, 3, 4, 3) * 1.5], opset=20, mode=mode,
                     padding_mode=padding, align_corners=align)


def computed_cases(case, floats, ints):
    """Extents that are read when the network runs."""
    x = floats(2, 3, 9, 7)
    for policy in ("stretch", "not_larger", "not_smaller"):
        case(f"computed_resize_{policy}", "Resize", [x, None, None, ints(11, 6)], opset=18, mode="linear", axes=[2, 3], keep_aspect_ratio_policy=policy)
    case("computed_resize_scales", "Resize", [x, None, np.array([1, 1, .7, 2.3], np.float32)], opset=13, mode="linear")
    case("computed_resize_seven_tenths", "Resize", [floats(1, 1, 10, 20), None, np.array([1, 1, .7, .35], np.float32)], opset=13, mode="nearest")
    case("computed_center_crop_pad", "CenterCropPad", [x, ints(5, 8)], opset=18, axes=[2, 3])
    case("computed_col2im", "Col2Im", [floats(1, 8, 9), ints(4, 4), ints(2, 2)], opset=18)
    case("computed_affine_grid", "AffineGrid", [floats(2, 2, 3), ints(2, 3, 4, 5)], opset=20)
    case("computed_max_unpool", "MaxUnpool", [x[:1, :1, :2, :2], ints(5, 7, 13, 15).reshape(1, 1, 2, 2), ints(1, 1, 4, 4)], kernel_shape=[2, 2], strides=[2, 2])
    signal = floats(2, 12, 5, 1)
    case("computed_dft_axis", "DFT", [signal, None, np.array(-3)], opset=20)
    case("computed_dft_half", "DFT", [signal, np.array(9), np.array(1)], opset=20, onesided=1)
    case("computed_stft", "STFT", [floats(2, 50, 1), np.array(5), np.hanning(16).astype(np.float32), np.array(16)])
    case("computed_window", "HammingWindow", [np.array(13, np.int32)])
    case("computed_mel_weight_matrix", "MelWeightMatrix", [np.array(10), np.array(64), np.array(8192), np.array(20, np.float32), np.array(4000, np.float32)])
