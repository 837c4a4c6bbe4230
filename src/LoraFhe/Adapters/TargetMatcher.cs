using System.Text.RegularExpressions;

namespace LoraFhe;

/// <summary>Decides by its name whether a module is a target, and which rank and α it gets; the rules of peft 0.21's <c>check_target_module_exists</c>
/// and <c>get_pattern_key</c>.</summary>
internal sealed class TargetMatcher
{
    private readonly LoraConfig _config;
    private readonly TargetModules _targets;
    private readonly Regex? _target;
    private readonly Regex? _exclude;
    private readonly Regex[] _layerIndex;
    private readonly (Regex Key, int Rank)[] _ranks;
    private readonly (Regex Key, double Alpha)[] _alphas;
    private readonly HashSet<string> _matchedTargets = new(StringComparer.Ordinal);

    /// <param name="config">A valid configuration.</param>
    /// <param name="targets">Its targets, or the model's default ones; not all-linear, which is no matter of names.</param>
    public TargetMatcher(LoraConfig config, TargetModules targets)
    {
        _config = config;
        _targets = targets;
        _target = targets.RegularExpression is { } target ? PeftPattern.Whole(target) : null;
        _exclude = config.ExcludeModules?.RegularExpression is { } exclude ? PeftPattern.Whole(exclude) : null;
        _layerIndex = config.LayersPattern is { Count: > 0 } patterns
            ? [.. patterns.Select(PeftPattern.LayerIndex)]
            : [PeftPattern.LayerIndex(null)];
        _ranks = [.. config.RankPattern.Select(pattern => (PeftPattern.Key(pattern.Key), pattern.Value))];
        _alphas = [.. config.AlphaPattern.Select(pattern => (PeftPattern.Key(pattern.Key), pattern.Value))];
    }

    /// <summary>The configuration.</summary>
    public LoraConfig Config => _config;

    /// <summary>The names of the list that no module has matched so far.</summary>
    public IEnumerable<string> UnmatchedTargets => _targets.Names.Where(name => !_matchedTargets.Contains(name));

    /// <summary>Whether the module of this dotted name is to get an adapter.</summary>
    public bool IsTarget(string name) => IsNamed(name) && !IsExcluded(name) && IsInLayers(name);

    /// <summary>Whether the configuration excludes the module, or trains it whole.</summary>
    public bool IsExcluded(string name) => SavedModules.IsWithin(_config, name) || IsExcludedByName(name);

    private bool IsExcludedByName(string name) => _exclude is not null
        ? _exclude.Match(name, nameof(LoraConfig.ExcludeModules)).Success
        : _config.ExcludeModules?.Names.Any(excluded => IsNameOrSuffix(name, excluded)) ?? false;

    /// <summary>Whether the module lies in one of the blocks asked for.</summary>
    public bool IsInLayers(string name)
    {
        if (_config.LayersToTransform is not { Count: > 0 } layers)
        {
            return true;
        }

        var match = _layerIndex.Select(pattern => pattern.Match(name, nameof(LoraConfig.LayersPattern))).FirstOrDefault(found => found.Success);
        return match is not null && int.TryParse(match.Groups["index"].ValueSpan, out var index) && layers.Contains(index);
    }

    /// <summary>The rank of the module of this name.</summary>
    public int Rank(string name)
    {
        foreach (var (key, rank) in _ranks)
        {
            if (key.Match(name, nameof(LoraConfig.RankPattern)).Success)
            {
                return rank;
            }
        }

        return _config.R;
    }

    /// <summary>The α of the module of this name.</summary>
    public double Alpha(string name)
    {
        foreach (var (key, alpha) in _alphas)
        {
            if (key.Match(name, nameof(LoraConfig.AlphaPattern)).Success)
            {
                return alpha;
            }
        }

        return _config.LoraAlpha;
    }

    private bool IsNamed(string name)
    {
        if (_target is not null)
        {
            return _target.Match(name, nameof(LoraConfig.TargetModules)).Success;
        }

        var found = false;
        foreach (var target in _targets.Names)
        {
            if (IsNameOrSuffix(name, target))
            {
                _matchedTargets.Add(target);
                found = true;
            }
        }

        return found;
    }

    private static bool IsNameOrSuffix(string name, string suffix) =>
        name.EndsWith(suffix, StringComparison.Ordinal) && (name.Length == suffix.Length || name[^(suffix.Length + 1)] == '.');
}
