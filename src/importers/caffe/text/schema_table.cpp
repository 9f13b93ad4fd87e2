// Facts of Caffe's text format: which fields a message has, and of which types (the messages of BVLC's Caffe, of the
// SSD branch, and those of other branches whose layers are imported). Fields that only training reads are here too:
// files that have them are well formed.

#include "importers/caffe/text/schema.h"

namespace planish::caffe::text {
namespace {

// clang-format off
const SchemaRow kMessageRows[] = {
    {"NetParameter",
     "name:string input:string* input_shape:BlobShape* input_dim:int64* force_backward:bool state:NetState "
     "debug_info:bool layer:LayerParameter* layers:V1LayerParameter* default_forward_type:Type "
     "default_backward_type:Type default_forward_math:Type default_backward_math:Type global_grad_scale:float "
     "default_conv_algos_override:string reduce_buckets:int32 default_cudnn_math_override:int32"},
    {"BlobShape", "dim:int64*"},
    {"NetState", "phase:Phase level:int32 stage:string*"},
    {"LayerParameter",
     "name:string type:string bottom:string* top:string* phase:Phase loss_weight:float* param:ParamSpec* "
     "blobs:BlobProto* propagate_down:bool* include:NetStateRule* exclude:NetStateRule* "
     "transform_param:TransformationParameter loss_param:LossParameter accuracy_param:AccuracyParameter "
     "annotated_data_param:AnnotatedDataParameter argmax_param:ArgMaxParameter batch_norm_param:BatchNormParameter "
     "bias_param:BiasParameter concat_param:ConcatParameter contrastive_loss_param:ContrastiveLossParameter "
     "convolution_param:ConvolutionParameter crop_param:CropParameter data_param:DataParameter "
     "detection_evaluate_param:DetectionEvaluateParameter detection_output_param:DetectionOutputParameter "
     "dropout_param:DropoutParameter dummy_data_param:DummyDataParameter eltwise_param:EltwiseParameter "
     "elu_param:ELUParameter embed_param:EmbedParameter exp_param:ExpParameter flatten_param:FlattenParameter "
     "hdf5_data_param:HDF5DataParameter hdf5_output_param:HDF5OutputParameter hinge_loss_param:HingeLossParameter "
     "image_data_param:ImageDataParameter infogain_loss_param:InfogainLossParameter "
     "inner_product_param:InnerProductParameter input_param:InputParameter log_param:LogParameter "
     "lrn_param:LRNParameter memory_data_param:MemoryDataParameter multibox_loss_param:MultiBoxLossParameter "
     "mvn_param:MVNParameter norm_param:NormalizeParameter parameter_param:ParameterParameter "
     "permute_param:PermuteParameter pooling_param:PoolingParameter power_param:PowerParameter "
     "prelu_param:PReLUParameter prior_box_param:PriorBoxParameter python_param:PythonParameter "
     "recurrent_param:RecurrentParameter reduction_param:ReductionParameter relu_param:ReLUParameter "
     "reshape_param:ReshapeParameter scale_param:ScaleParameter sigmoid_param:SigmoidParameter "
     "softmax_param:SoftmaxParameter spp_param:SPPParameter slice_param:SliceParameter tanh_param:TanHParameter "
     "threshold_param:ThresholdParameter tile_param:TileParameter video_data_param:VideoDataParameter "
     "window_data_param:WindowDataParameter clip_param:ClipParameter swish_param:SwishParameter "
     "shuffle_channel_param:ShuffleChannelParameter upsample_param:UpsampleParameter interp_param:InterpParameter "
     "proposal_param:ProposalParameter roi_pooling_param:ROIPoolingParameter "
     "region_proposal_param:RegionProposalParameter "
     "psroi_pooling_param:PSROIPoolingParameter forward_type:Type backward_type:Type forward_math:Type "
     "backward_math:Type debug:bool cudnn_math_override:int32"},
    {"ParamSpec", "name:string share_mode:ParamSpec.DimCheckMode lr_mult:float decay_mult:float"},
    {"BlobProto",
     "shape:BlobShape data:float* diff:float* double_data:double* double_diff:double* num:int32 channels:int32 "
     "height:int32 width:int32"},
    {"NetStateRule", "phase:Phase min_level:int32 max_level:int32 stage:string* not_stage:string*"},
    {"TransformationParameter",
     "scale:float mirror:bool crop_size:uint32 crop_h:uint32 crop_w:uint32 mean_file:string mean_value:float* "
     "force_color:bool force_gray:bool resize_param:ResizeParameter noise_param:NoiseParameter "
     "distort_param:DistortionParameter expand_param:ExpansionParameter emit_constraint:EmitConstraint"},
    {"ResizeParameter",
     "prob:float resize_mode:ResizeParameter.Resize_mode height:uint32 width:uint32 height_scale:uint32 "
     "width_scale:uint32 pad_mode:ResizeParameter.Pad_mode pad_value:float* "
     "interp_mode:ResizeParameter.Interp_mode*"},
    {"NoiseParameter",
     "prob:float hist_eq:bool inverse:bool decolorize:bool gauss_blur:bool jpeg:float posterize:bool erode:bool "
     "saltpepper:bool saltpepper_param:SaltPepperParameter clahe:bool convert_to_hsv:bool convert_to_lab:bool"},
    {"SaltPepperParameter", "fraction:float value:float*"},
    {"DistortionParameter",
     "brightness_prob:float brightness_delta:float contrast_prob:float contrast_lower:float contrast_upper:float "
     "hue_prob:float hue_delta:float saturation_prob:float saturation_lower:float saturation_upper:float "
     "random_order_prob:float"},
    {"ExpansionParameter", "prob:float max_expand_ratio:float"},
    {"EmitConstraint", "emit_type:EmitConstraint.EmitType emit_overlap:float"},
    {"LossParameter", "ignore_label:int32 normalization:LossParameter.NormalizationMode normalize:bool"},
    {"AccuracyParameter", "top_k:uint32 axis:int32 ignore_label:int32"},
    {"AnnotatedDataParameter",
     "batch_sampler:BatchSampler* label_map_file:string anno_type:AnnotatedDatum.AnnotationType"},
    {"BatchSampler",
     "use_original_image:bool sampler:Sampler sample_constraint:SampleConstraint max_sample:uint32 "
     "max_trials:uint32"},
    {"Sampler", "min_scale:float max_scale:float min_aspect_ratio:float max_aspect_ratio:float"},
    {"SampleConstraint",
     "min_jaccard_overlap:float max_jaccard_overlap:float min_sample_coverage:float max_sample_coverage:float "
     "min_object_coverage:float max_object_coverage:float"},
    {"ArgMaxParameter", "out_max_val:bool top_k:uint32 axis:int32"},
    {"BatchNormParameter",
     "use_global_stats:bool moving_average_fraction:float eps:float scale_bias:bool scale_filler:FillerParameter "
     "bias_filler:FillerParameter engine:BatchNormParameter.Engine"},
    {"BiasParameter", "axis:int32 num_axes:int32 filler:FillerParameter"},
    {"FillerParameter",
     "type:string value:float min:float max:float mean:float std:float sparse:int32 "
     "variance_norm:FillerParameter.VarianceNorm"},
    {"ConcatParameter", "axis:int32 concat_dim:uint32"},
    {"ContrastiveLossParameter", "margin:float legacy_version:bool"},
    {"ConvolutionParameter",
     "num_output:uint32 bias_term:bool pad:uint32* kernel_size:uint32* stride:uint32* dilation:uint32* "
     "pad_h:uint32 pad_w:uint32 kernel_h:uint32 kernel_w:uint32 stride_h:uint32 stride_w:uint32 group:uint32 "
     "weight_filler:FillerParameter bias_filler:FillerParameter engine:ConvolutionParameter.Engine axis:int32 "
     "force_nd_im2col:bool cudnn_convolution_algo_seeker:ConvolutionParameter.CuDNNConvolutionAlgorithmSeeker "
     "conv_algos_override:string cudnn_math_override:int32"},
    {"CropParameter", "axis:int32 offset:uint32*"},
    {"DataParameter",
     "source:string batch_size:uint32 rand_skip:uint32 backend:DataParameter.DB scale:float mean_file:string "
     "crop_size:uint32 mirror:bool force_encoded_color:bool prefetch:uint32"},
    {"DetectionEvaluateParameter",
     "num_classes:uint32 background_label_id:uint32 overlap_threshold:float evaluate_difficult_gt:bool "
     "name_size_file:string resize_param:ResizeParameter"},
    {"DetectionOutputParameter",
     "num_classes:uint32 share_location:bool background_label_id:int32 nms_param:NonMaximumSuppressionParameter "
     "save_output_param:SaveOutputParameter code_type:PriorBoxParameter.CodeType variance_encoded_in_target:bool "
     "keep_top_k:int32 confidence_threshold:float visualize:bool visualize_threshold:float save_file:string"},
    {"NonMaximumSuppressionParameter", "nms_threshold:float top_k:int32 eta:float"},
    {"SaveOutputParameter",
     "output_directory:string output_name_prefix:string output_format:string label_map_file:string "
     "name_size_file:string num_test_image:uint32 resize_param:ResizeParameter"},
    {"DropoutParameter", "dropout_ratio:float scale_train:bool"},
    {"DummyDataParameter",
     "data_filler:FillerParameter* shape:BlobShape* num:uint32* channels:uint32* height:uint32* width:uint32*"},
    {"EltwiseParameter", "operation:EltwiseParameter.EltwiseOp coeff:float* stable_prod_grad:bool"},
    {"ELUParameter", "alpha:float"},
    {"EmbedParameter",
     "num_output:uint32 input_dim:uint32 bias_term:bool weight_filler:FillerParameter bias_filler:FillerParameter"},
    {"ExpParameter", "base:float scale:float shift:float"},
    {"FlattenParameter", "axis:int32 end_axis:int32"},
    {"HDF5DataParameter", "source:string batch_size:uint32 shuffle:bool"},
    {"HDF5OutputParameter", "file_name:string"},
    {"HingeLossParameter", "norm:HingeLossParameter.Norm"},
    {"ImageDataParameter",
     "source:string batch_size:uint32 rand_skip:uint32 shuffle:bool new_height:uint32 new_width:uint32 "
     "is_color:bool scale:float mean_file:string crop_size:uint32 mirror:bool root_folder:string"},
    {"InfogainLossParameter", "source:string"},
    {"InnerProductParameter",
     "num_output:uint32 bias_term:bool weight_filler:FillerParameter bias_filler:FillerParameter axis:int32 "
     "transpose:bool"},
    {"InputParameter", "shape:BlobShape*"},
    {"LogParameter", "base:float scale:float shift:float"},
    {"LRNParameter",
     "local_size:uint32 alpha:float beta:float norm_region:LRNParameter.NormRegion k:float "
     "engine:LRNParameter.Engine"},
    {"MemoryDataParameter", "batch_size:uint32 channels:uint32 height:uint32 width:uint32"},
    {"MultiBoxLossParameter",
     "loc_loss_type:MultiBoxLossParameter.LocLossType conf_loss_type:MultiBoxLossParameter.ConfLossType "
     "loc_weight:float num_classes:uint32 share_location:bool match_type:MultiBoxLossParameter.MatchType "
     "overlap_threshold:float use_prior_for_matching:bool background_label_id:uint32 use_difficult_gt:bool "
     "do_neg_mining:bool neg_pos_ratio:float neg_overlap:float code_type:PriorBoxParameter.CodeType "
     "encode_variance_in_target:bool map_object_to_agnostic:bool ignore_cross_boundary_bbox:bool bp_inside:bool "
     "mining_type:MultiBoxLossParameter.MiningType nms_param:NonMaximumSuppressionParameter sample_size:int32 "
     "use_prior_for_nms:bool"},
    {"MVNParameter", "normalize_variance:bool across_channels:bool eps:float"},
    {"NormalizeParameter", "across_spatial:bool scale_filler:FillerParameter channel_shared:bool eps:float"},
    {"ParameterParameter", "shape:BlobShape"},
    {"PermuteParameter", "order:uint32*"},
    {"PoolingParameter",
     "pool:PoolingParameter.PoolMethod pad:uint32 pad_h:uint32 pad_w:uint32 kernel_size:uint32 kernel_h:uint32 "
     "kernel_w:uint32 stride:uint32 stride_h:uint32 stride_w:uint32 engine:PoolingParameter.Engine "
     "global_pooling:bool round_mode:PoolingParameter.RoundMode ceil_mode:bool torch_pooling:bool"},
    {"PowerParameter", "power:float scale:float shift:float"},
    {"PReLUParameter", "filler:FillerParameter channel_shared:bool"},
    {"PriorBoxParameter",
     "min_size:float* max_size:float* aspect_ratio:float* flip:bool clip:bool variance:float* img_size:uint32 "
     "img_h:uint32 img_w:uint32 step:float step_h:float step_w:float offset:float"},
    {"PythonParameter", "module:string layer:string param_str:string share_in_parallel:bool"},
    {"RecurrentParameter",
     "num_output:uint32 weight_filler:FillerParameter bias_filler:FillerParameter debug_info:bool "
     "expose_hidden:bool"},
    {"ReductionParameter", "operation:ReductionParameter.ReductionOp axis:int32 coeff:float"},
    {"ReLUParameter", "negative_slope:float engine:ReLUParameter.Engine"},
    {"ReshapeParameter", "shape:BlobShape axis:int32 num_axes:int32"},
    {"ScaleParameter", "axis:int32 num_axes:int32 filler:FillerParameter bias_term:bool bias_filler:FillerParameter"},
    {"SigmoidParameter", "engine:SigmoidParameter.Engine"},
    {"SoftmaxParameter", "engine:SoftmaxParameter.Engine axis:int32"},
    {"SPPParameter", "pyramid_height:uint32 pool:SPPParameter.PoolMethod engine:SPPParameter.Engine"},
    {"SliceParameter", "axis:int32 slice_point:uint32* slice_dim:uint32"},
    {"TanHParameter", "engine:TanHParameter.Engine"},
    {"ThresholdParameter", "threshold:float"},
    {"TileParameter", "axis:int32 tiles:int32"},
    {"VideoDataParameter",
     "video_type:VideoDataParameter.VideoType device_id:int32 video_file:string skip_frames:uint32"},
    {"WindowDataParameter",
     "source:string scale:float mean_file:string batch_size:uint32 crop_size:uint32 mirror:bool fg_threshold:float "
     "bg_threshold:float fg_fraction:float context_pad:uint32 crop_mode:string cache_images:bool "
     "root_folder:string"},
    {"V1LayerParameter",
     "bottom:string* top:string* name:string include:NetStateRule* exclude:NetStateRule* "
     "type:V1LayerParameter.LayerType blobs:BlobProto* param:string* "
     "blob_share_mode:V1LayerParameter.DimCheckMode* blobs_lr:float* weight_decay:float* loss_weight:float* "
     "accuracy_param:AccuracyParameter argmax_param:ArgMaxParameter concat_param:ConcatParameter "
     "contrastive_loss_param:ContrastiveLossParameter convolution_param:ConvolutionParameter "
     "data_param:DataParameter dropout_param:DropoutParameter dummy_data_param:DummyDataParameter "
     "eltwise_param:EltwiseParameter exp_param:ExpParameter hdf5_data_param:HDF5DataParameter "
     "hdf5_output_param:HDF5OutputParameter hinge_loss_param:HingeLossParameter "
     "image_data_param:ImageDataParameter infogain_loss_param:InfogainLossParameter "
     "inner_product_param:InnerProductParameter lrn_param:LRNParameter memory_data_param:MemoryDataParameter "
     "mvn_param:MVNParameter pooling_param:PoolingParameter power_param:PowerParameter relu_param:ReLUParameter "
     "sigmoid_param:SigmoidParameter softmax_param:SoftmaxParameter slice_param:SliceParameter "
     "tanh_param:TanHParameter threshold_param:ThresholdParameter window_data_param:WindowDataParameter "
     "transform_param:TransformationParameter loss_param:LossParameter layer:V0LayerParameter"},
    {"V0LayerParameter",
     "name:string type:string num_output:uint32 biasterm:bool weight_filler:FillerParameter "
     "bias_filler:FillerParameter pad:uint32 kernelsize:uint32 group:uint32 stride:uint32 "
     "pool:V0LayerParameter.PoolMethod dropout_ratio:float local_size:uint32 alpha:float beta:float k:float "
     "source:string scale:float meanfile:string batchsize:uint32 cropsize:uint32 mirror:bool blobs:BlobProto* "
     "blobs_lr:float* weight_decay:float* rand_skip:uint32 det_fg_threshold:float det_bg_threshold:float "
     "det_fg_fraction:float det_context_pad:uint32 det_crop_mode:string new_num:int32 new_channels:int32 "
     "new_height:int32 new_width:int32 shuffle_images:bool concat_dim:uint32 hdf5_output_param:HDF5OutputParameter"},
    {"ClipParameter", "min:float max:float"},
    {"SwishParameter", "beta:float"},
    {"ShuffleChannelParameter", "group:uint32"},
    {"UpsampleParameter",
     "scale:uint32 scale_h:uint32 scale_w:uint32 pad_out_h:bool pad_out_w:bool upsample_h:uint32 upsample_w:uint32"},
    {"InterpParameter", "height:int32 width:int32 zoom_factor:int32 shrink_factor:int32 pad_beg:int32 pad_end:int32"},
    {"ProposalParameter",
     "feat_stride:uint32 base_size:uint32 min_size:uint32 ratio:float* scale:float* pre_nms_topn:uint32 "
     "post_nms_topn:uint32 nms_thresh:float"},
    {"RegionProposalParameter",
     "feature_stride:uint32 prenms_top:uint32 nms_max_out:uint32 anchor_ratio_count:uint32 anchor_scale_count:uint32 "
     "iou_threshold:float min_box_size:float anchor_ratio:float* anchor_scale:float*"},
    {"ROIPoolingParameter", "pooled_h:uint32 pooled_w:uint32 spatial_scale:float"},
    {"PSROIPoolingParameter", "spatial_scale:float output_dim:int32 group_size:int32"},
};

const SchemaRow kEnumRows[] = {
    {"Phase", "TRAIN=0 TEST=1"},
    {"ParamSpec.DimCheckMode", "STRICT=0 PERMISSIVE=1"},
    {"ResizeParameter.Resize_mode", "WARP=1 FIT_SMALL_SIZE=2 FIT_LARGE_SIZE_AND_PAD=3"},
    {"ResizeParameter.Pad_mode", "CONSTANT=1 MIRRORED=2 REPEAT_NEAREST=3"},
    {"ResizeParameter.Interp_mode", "LINEAR=1 AREA=2 NEAREST=3 CUBIC=4 LANCZOS4=5"},
    {"EmitConstraint.EmitType", "CENTER=0 MIN_OVERLAP=1"},
    {"LossParameter.NormalizationMode", "FULL=0 VALID=1 BATCH_SIZE=2 NONE=3"},
    {"AnnotatedDatum.AnnotationType", "BBOX=0"},
    {"FillerParameter.VarianceNorm", "FAN_IN=0 FAN_OUT=1 AVERAGE=2"},
    {"ConvolutionParameter.Engine", "DEFAULT=0 CAFFE=1 CUDNN=2"},
    {"DataParameter.DB", "LEVELDB=0 LMDB=1"},
    {"PriorBoxParameter.CodeType", "CORNER=1 CENTER_SIZE=2 CORNER_SIZE=3"},
    {"EltwiseParameter.EltwiseOp", "PROD=0 SUM=1 MAX=2"},
    {"HingeLossParameter.Norm", "L1=1 L2=2"},
    {"LRNParameter.NormRegion", "ACROSS_CHANNELS=0 WITHIN_CHANNEL=1"},
    {"LRNParameter.Engine", "DEFAULT=0 CAFFE=1 CUDNN=2"},
    {"MultiBoxLossParameter.LocLossType", "L2=0 SMOOTH_L1=1"},
    {"MultiBoxLossParameter.ConfLossType", "SOFTMAX=0 LOGISTIC=1"},
    {"MultiBoxLossParameter.MatchType", "BIPARTITE=0 PER_PREDICTION=1"},
    {"MultiBoxLossParameter.MiningType", "NONE=0 MAX_NEGATIVE=1 HARD_EXAMPLE=2"},
    {"PoolingParameter.PoolMethod", "MAX=0 AVE=1 STOCHASTIC=2"},
    {"PoolingParameter.Engine", "DEFAULT=0 CAFFE=1 CUDNN=2"},
    {"ReductionParameter.ReductionOp", "SUM=1 ASUM=2 SUMSQ=3 MEAN=4"},
    {"ReLUParameter.Engine", "DEFAULT=0 CAFFE=1 CUDNN=2"},
    {"SigmoidParameter.Engine", "DEFAULT=0 CAFFE=1 CUDNN=2"},
    {"SoftmaxParameter.Engine", "DEFAULT=0 CAFFE=1 CUDNN=2"},
    {"SPPParameter.PoolMethod", "MAX=0 AVE=1 STOCHASTIC=2"},
    {"SPPParameter.Engine", "DEFAULT=0 CAFFE=1 CUDNN=2"},
    {"TanHParameter.Engine", "DEFAULT=0 CAFFE=1 CUDNN=2"},
    {"VideoDataParameter.VideoType", "WEBCAM=0 VIDEO=1"},
    {"V1LayerParameter.LayerType",
     "NONE=0 ABSVAL=35 ACCURACY=1 ARGMAX=30 BNLL=2 CONCAT=3 CONTRASTIVE_LOSS=37 CONVOLUTION=4 DATA=5 "
     "DECONVOLUTION=39 DROPOUT=6 DUMMY_DATA=32 EUCLIDEAN_LOSS=7 ELTWISE=25 EXP=38 FLATTEN=8 HDF5_DATA=9 "
     "HDF5_OUTPUT=10 HINGE_LOSS=28 IM2COL=11 IMAGE_DATA=12 INFOGAIN_LOSS=13 INNER_PRODUCT=14 LRN=15 MEMORY_DATA=29 "
     "MULTINOMIAL_LOGISTIC_LOSS=16 MVN=34 POOLING=17 POWER=26 RELU=18 SIGMOID=19 SIGMOID_CROSS_ENTROPY_LOSS=27 "
     "SILENCE=36 SOFTMAX=20 SOFTMAX_LOSS=21 SPLIT=22 SLICE=33 TANH=23 WINDOW_DATA=24 THRESHOLD=31"},
    {"V1LayerParameter.DimCheckMode", "STRICT=0 PERMISSIVE=1"},
    {"V0LayerParameter.PoolMethod", "MAX=0 AVE=1 STOCHASTIC=2"},
    {"Type", "DOUBLE=0 FLOAT=1 FLOAT16=2 INT=3 UINT=4"},
    {"BatchNormParameter.Engine", "DEFAULT=0 CAFFE=1 CUDNN=2"},
    {"PoolingParameter.RoundMode", "CEIL=0 FLOOR=1"},
    {"ConvolutionParameter.CuDNNConvolutionAlgorithmSeeker", "GET=0 FINDEX=1"},
};
// clang-format on

}  // namespace

std::span<const SchemaRow> message_rows() { return kMessageRows; }
std::span<const SchemaRow> enum_rows() { return kEnumRows; }

}  // namespace planish::caffe::text
