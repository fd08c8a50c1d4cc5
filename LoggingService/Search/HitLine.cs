namespace LoggingService.Search;

/// <summary>
/// The column <c>line</c> of the table <c>hit</c>: the number of the line in its record, above the kinds of its event. In one column they
/// take a byte less.
/// </summary>
internal static class HitLine
{
    private const int KindBits = 4;

    public static long Pack(int number, HitKinds kinds) => ((long)number << KindBits) | (long)kinds;

    public static int NumberOf(long line) => (int)(line >> KindBits);

    public static HitKinds KindsOf(long line) => (HitKinds)(line & ((1 << KindBits) - 1));
}
