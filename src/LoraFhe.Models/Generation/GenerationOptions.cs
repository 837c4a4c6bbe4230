using System.Globalization;

namespace LoraFhe.Models;

/// <summary>How a text is continued.</summary>
public sealed record GenerationOptions
{
    /// <summary>The most tokens to add; default 64. Fewer come where the text ends or the model's positions do.</summary>
    public int MaxNewTokens { get; init; } = 64;

    /// <summary>Logits are divided by it before a token is drawn; 0, the default, takes the likeliest token each time.</summary>
    public double Temperature { get; init; }

    /// <summary>Only this many of the likeliest tokens may be drawn, and those as likely as the last of them; 0, the default:
    /// all.</summary>
    public int TopK { get; init; }

    /// <summary>Only the likeliest tokens that together have this probability may be drawn; 1, the default: all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Makes tokens of the text so far less likely: a positive logit is divided by it, a negative one multiplied; 1, the default,
    /// changes nothing.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Decides what is drawn: the same seed, model and prompt give the same text.</summary>
    public int Seed { get; init; }

    /// <summary>Tokens that end the text; null, the default: the model's. An empty list never ends it early.</summary>
    public IReadOnlyList<int>? EndOfSequenceIds { get; init; }

    /// <summary>Keeps keys and values of the tokens before; default true. Without, every step reads the whole text again, with the same
    /// result.</summary>
    public bool UseCache { get; init; } = true;

    /// <summary>Every fault of these options; empty where there is none.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        Require(MaxNewTokens >= 1, nameof(MaxNewTokens), MaxNewTokens, "at least 1");
        Require(Temperature >= 0 && double.IsFinite(Temperature), nameof(Temperature), Temperature, "0 or a positive number");
        Require(TopK >= 0, nameof(TopK), TopK, "0 or more");
        Require(TopP is > 0 and <= 1, nameof(TopP), TopP, "more than 0, at most 1");
        Require(RepetitionPenalty is > 0 and < double.PositiveInfinity, nameof(RepetitionPenalty), RepetitionPenalty, "a positive number");
        if (Temperature == 0)
        {
            faults.AddRange(TopK != 0 ? [Errors.OptionWithoutSampling(nameof(TopK))] : []);
            faults.AddRange(TopP != 1 ? [Errors.OptionWithoutSampling(nameof(TopP))] : []);
        }

        return faults;

        void Require(bool holds, string option, IConvertible found, string expected)
        {
            if (!holds)
            {
                faults.Add(Errors.OptionRange(option, found.ToString(CultureInfo.InvariantCulture), expected));
            }
        }
    }
}
