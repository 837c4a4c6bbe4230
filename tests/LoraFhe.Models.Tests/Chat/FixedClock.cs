namespace LoraFhe.Models.Tests;

/// <summary>A clock that always shows Saturday, 7 March 2026, five past nine and three seconds.</summary>
internal sealed class FixedClock : TimeProvider
{
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => new(2026, 3, 7, 9, 5, 3, TimeSpan.Zero);
}
