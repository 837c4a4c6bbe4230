namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The reference's own tests of what this library does (Concrete ML 1.9.0): each has its counterpart under its own name.</summary>
public sealed class TheirTestNamesTests
{
    // tests/torch/test_lora.py, all of it.
    private static readonly string[] Lora =
    [
        "assert_has_lora_layers_with_lora_layers", "assert_has_lora_layers_without_lora_layers", "replace_layers_with_custom", "replace_layers_with_custom_skips_lora_layers",
        "replace_layers_with_custom_recursive", "forward_with_loss_fn", "forward_without_loss_fn_model_returns_loss", "forward_without_loss_fn_model_returns_loss_as_attribute",
        "forward_with_less_than_two_inputs", "set_loss_scaling_factor", "lora_trainer_init", "lora_trainer_train", "lora_trainer_train_with_lr_scheduler",
        "lora_trainer_save_and_clear_private_info", "custom_linear_forward_backward", "custom_linear_weight_transposed", "get_remote_names", "get_remote_names_include_embedding_layers",
        "get_remote_names_skips_lm_head_when_excluded", "replace_layers_with_transformer_conv1d", "forward_backward_module", "lora_training_forward_with_loss_fn_and_attention_mask",
        "lora_training_forward_with_additional_inputs", "lora_training_forward_with_no_loss_fn_and_no_labels", "lora_trainer_train_with_various_batch_types",
        "lora_trainer_inference_keygen", "lora_move_optimizer", "lora_trainer_train_with_gradient_accumulation", "get_remote_names_with_lora_in_name",
        "lora_training_init_validates_model_signature", "lora_train_mlp", "checkpoint_saving_loading_and_resuming", "evaluation",
    ];

    // tests/torch/test_hybrid_converter.py, all but the one of Brevitas' quantized layers, which this library has not.
    private static readonly string[] Hybrid = ["tuple_serialization", "gpt2_hybrid_mlp", "gpt2_hybrid_mlp_module_not_found", "invalid_model", "hybrid_glwe_correctness"];

    [Fact]
    public void Each_of_their_tests_has_one_of_its_name_here()
    {
        var ours = new[] { typeof(TheirLoraTrainingTests), typeof(TheirLoraTrainerTests), typeof(TheirCustomLinearTests), typeof(TheirHybridConverterTests) }
            .SelectMany(type => type.GetMethods()).Where(method => method.GetCustomAttributes(typeof(FactAttribute), inherit: true).Length > 0)
            .Select(method => method.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);

        Assert.Empty(Lora.Concat(Hybrid).Except(ours, StringComparer.OrdinalIgnoreCase));
    }
}
