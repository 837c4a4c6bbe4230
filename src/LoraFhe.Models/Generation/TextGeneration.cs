using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>One generation: texts that grow token by token until each has ended.</summary>
internal sealed class TextGeneration : IDisposable
{
    // What padding holds does not matter, as nothing looks at it; 0 is an id of every vocabulary.
    private const int PaddingId = 0;

    private readonly CausalLanguageModel _model;
    private readonly List<int>[] _texts;
    private readonly int[] _promptLengths;
    private readonly bool[] _ended;
    private readonly TokenSampler[] _samplers;
    private readonly IReadOnlyList<int> _endIds;
    private readonly Action<int, int>? _onToken;
    private readonly int _padded;
    private readonly int _steps;
    private readonly KeyValueCache? _cache;
    private readonly float[] _logits;

    private TextGeneration(
        CausalLanguageModel model, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options, Action<int, int>? onToken)
    {
        (_model, _onToken) = (model, onToken);
        _texts = [.. prompts.Select(prompt => new List<int>(prompt))];
        _promptLengths = [.. prompts.Select(prompt => prompt.Count)];
        _ended = new bool[_texts.Length];
        _samplers = [.. _texts.Select((_, row) => new TokenSampler(options, row, model.VocabularySize))];
        _endIds = options.EndOfSequenceIds ?? model.EndOfSequenceIds;
        _padded = _promptLengths.Max();
        _steps = Math.Min(options.MaxNewTokens, model.MaxPositions - _padded);
        _cache = options.UseCache ? model.CreateCache(_texts.Length, _padded + _steps) : null;
        _logits = new float[_texts.Length * model.VocabularySize];
    }

    /// <summary>Checks the caller's arguments and begins.</summary>
    /// <exception cref="ArgumentException">A prompt or an option is faulty.</exception>
    public static TextGeneration Start(
        CausalLanguageModel model, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options, Action<int, int>? onToken)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        if (options.Validate() is { Count: > 0 } faults)
        {
            throw new ArgumentException(Errors.Options(faults), nameof(options));
        }

        if (prompts.Count == 0)
        {
            throw new ArgumentException(Errors.NoPrompts(), nameof(prompts));
        }

        for (var row = 0; row < prompts.Count; row++)
        {
            CheckPrompt(prompts[row], row, model);
        }

        return new TextGeneration(model, prompts, options, onToken);
    }

    private static void CheckPrompt(IReadOnlyList<int> prompt, int row, CausalLanguageModel model)
    {
        var fault = prompt switch
        {
            { Count: 0 } => Errors.EmptyPrompt(row),
            _ when prompt.Count >= model.MaxPositions => Errors.PromptTooLong(row, prompt.Count, model.MaxPositions),
            _ when prompt.Any(id => id < 0 || id >= model.VocabularySize) => Errors.PromptOutsideVocabulary(row, model.VocabularySize),
            _ => null,
        };
        if (fault is not null)
        {
            throw new ArgumentException(fault, nameof(prompt));
        }
    }

    /// <summary>Adds tokens until every text has ended.</summary>
    /// <returns>The new tokens of each text.</returns>
    public int[][] Run(CancellationToken cancellationToken)
    {
        var wasTraining = _model.training;
        _model.eval();
        try
        {
            using var noGradient = no_grad();
            for (var step = 0; step < _steps && !_ended.All(ended => ended); step++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                ReadLogits(step);
                AddTokens();
            }
        }
        finally
        {
            _model.train(wasTraining);
        }

        return [.. _texts.Select((text, row) => text.Skip(_promptLengths[row]).ToArray())];
    }

    /// <inheritdoc/>
    public void Dispose() => _cache?.Dispose();

    private void ReadLogits(int step)
    {
        using var scope = NewDisposeScope();
        var length = _padded + step;
        var first = _cache is null || step == 0 ? 0 : length - 1;
        var isPadded = _promptLengths.Any(prompt => prompt != _padded);
        var logits = _model.LastLogits(
            Ids(first, length), isPadded ? Mask(length) : null, isPadded ? Positions(first, length) : null, _cache);
        MemoryMarshal.Cast<byte, float>(logits.to(ScalarType.Float32).cpu().contiguous().bytes).CopyTo(_logits);
        if (Array.Exists(_logits, float.IsNaN))
        {
            throw new InvalidOperationException(Errors.LogitsNotANumber());
        }
    }

    private void AddTokens()
    {
        for (var row = 0; row < _texts.Length; row++)
        {
            var text = _texts[row];
            if (_ended[row])
            {
                continue;
            }

            var id = _samplers[row].Choose(_logits.AsSpan(row * _model.VocabularySize, _model.VocabularySize), text);
            text.Add(id);
            _ended[row] = _endIds.Contains(id);
            _onToken?.Invoke(row, id);
        }
    }

    // Texts stand at the right edge; column c of row r is token c - offset, and padding before its first and after its last.
    private int Offset(int row) => _padded - _promptLengths[row];

    private Tensor Ids(int first, int length) => Columns(first, length, (row, column) =>
    {
        var index = column - Offset(row);
        return index >= 0 && index < _texts[row].Count ? _texts[row][index] : PaddingId;
    });

    private Tensor Mask(int length) => Columns(0, length, (row, column) => column >= Offset(row) ? 1 : 0);

    private Tensor Positions(int first, int length) => Columns(first, length, (row, column) => Math.Max(0, column - Offset(row)));

    private Tensor Columns(int first, int length, Func<int, int, int> value)
    {
        var values = new long[_texts.Length * (length - first)];
        for (var row = 0; row < _texts.Length; row++)
        {
            for (var column = first; column < length; column++)
            {
                values[(row * (length - first)) + column - first] = value(row, column);
            }
        }

        return tensor(values, _texts.Length, length - first, ScalarType.Int64);
    }
}
