using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Which modules of a model an adapter trains whole (peft's <c>modules_to_save</c>).</summary>
internal static class SavedModules
{
    private static readonly string[] ClassificationHeads = ["classifier", "score"];

    /// <summary>The options with the heads that peft adds for a task.</summary>
    public static LoraConfig WithHeads(LoraConfig config)
    {
        var named = config.ModulesToSave ?? [];
        var missing = Heads(config.TaskType).Except(named, StringComparer.Ordinal).ToList();
        return missing.Count == 0 ? config : config with { ModulesToSave = [.. named, .. missing] };
    }

    /// <summary>Whether a module is the head of a model that is trained to classify, by the names that such heads have.</summary>
    public static bool IsClassificationHead(LoraConfig config, string name) =>
        config.TaskType == TaskType.SeqCls && ClassificationHeads.Contains(name, StringComparer.Ordinal);

    /// <summary>Whether a module is one that is trained whole, or a part of one: no target then. As peft, by whole segments.</summary>
    public static bool IsWithin(LoraConfig config, string name) =>
        config.ModulesToSave?.Any(saved => $".{name}.".Contains($".{saved}.", StringComparison.Ordinal)) == true;

    /// <summary>Finds them. As peft, by the end of the name, within a segment too: <c>norm</c> means <c>input_layernorm</c> as well.</summary>
    /// <param name="model">The model, for messages.</param>
    /// <param name="modules">Its modules.</param>
    /// <param name="config">The options, heads included.</param>
    /// <param name="asked">The names that were given. Each should match, but the heads that peft adds for the task, which stand in its files: one of them is the model's.</param>
    /// <param name="logger">Gets a warning for each that matches nothing.</param>
    /// <exception cref="ArgumentException">One lies within another.</exception>
    /// <exception cref="NotSupportedException">One cannot be copied, or another adapter stands beside it.</exception>
    public static List<NamedModule> Select(
        nn.Module model, BareModules modules, LoraConfig config, IEnumerable<string> asked, ILogger? logger)
    {
        var names = config.ModulesToSave ?? [];
        var selected = modules.All.Where(place => names.Any(name => place.Name.EndsWith(name, StringComparison.Ordinal))).ToList();
        foreach (var name in asked.Except(Heads(config.TaskType), StringComparer.Ordinal).Where(name => !selected.Exists(place => place.Name.EndsWith(name, StringComparison.Ordinal))))
        {
            logger?.UnmatchedModuleToSave(name, model.GetType().Name);
        }

        foreach (var place in selected)
        {
            if (selected.Find(other => other.Name.StartsWith(place.Name + ".", StringComparison.Ordinal)).Name is { } inner)
            {
                throw new ArgumentException(Errors.NestedModulesToSave(place.Name, inner));
            }

            if (modules.Around(place.Module) is LoraLayer)
            {
                throw new NotSupportedException(Errors.AdaptedAndSaved(place.Name));
            }

            if (!ModuleCopies.CanCopy(place.Module))
            {
                throw new NotSupportedException(Errors.ModuleNotCopyable(place.Name, place.Module.GetType()));
            }
        }

        return selected;
    }

    private static string[] Heads(TaskType? task) => task switch
    {
        TaskType.SeqCls or TaskType.TokenCls => ClassificationHeads,
        TaskType.QuestionAns => ["qa_outputs"],
        _ => [],
    };
}
