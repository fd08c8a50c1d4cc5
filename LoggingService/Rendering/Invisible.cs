using System.Buffers;
using System.Globalization;
using System.Text;

namespace LoggingService.Rendering;

/// <summary>
/// Characters that are invisible or reorder others, and the places where they are legitimate: within an emoji sequence, or
/// after a letter of a script that needs them. (Unicode, Default_Ignorable_Code_Point and Bidi_Control; UTS #51 for emoji.)
/// </summary>
internal static class Invisible
{
    public const int BlackFlag = 0x1F3F4;

    private const int CancelTag = 0xE007F;
    private const int ZeroWidthSpace = 0x200B;
    private const int ZeroWidthNonJoiner = 0x200C;
    private const int ZeroWidthJoiner = 0x200D;
    private const int LeftToRightMark = 0x200E;
    private const int RightToLeftMark = 0x200F;
    private const int Keycap = 0x20E3;

    // The code of a subdivision, of 3 to 6 letters and digits; more would be hidden text.
    private const int MinFlagTags = 3;
    private const int MaxFlagTags = 6;

    /// <summary>Invisible, reordering, or a noncharacter: to be escaped unless <see cref="IsAllowedHere"/>.</summary>
    public static bool IsInvisible(Rune rune) => rune.Value switch
    {
        < 0x7F => false,

        // Visible format characters: Arabic and Kaithi number signs, the joiners of hieroglyphs.
        (>= 0x0600 and <= 0x0605) or 0x06DD or 0x070F or 0x0890 or 0x0891 or 0x08E2 => false,
        0x110BD or 0x110CD or (>= 0x13430 and <= 0x1343F) => false,
        0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x2065 or 0x3164 or 0xFFA0 or (>= 0xFFF0 and <= 0xFFF8) => true,
        (>= 0x180B and <= 0x180F) or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0000 and <= 0xE0FFF) => true,
        (>= 0xFDD0 and <= 0xFDEF) => true,
        var value when (value & 0xFFFE) == 0xFFFE => true,
        _ => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator,
    };

    /// <summary>An invisible character is part of the visible text around it.</summary>
    /// <param name="before">The character before it; <c>null</c> if there is none or it was escaped.</param>
    /// <param name="after">The text after it.</param>
    public static bool IsAllowedHere(Rune rune, Rune? before, ReadOnlySpan<byte> after)
    {
        // At the end of the text it decodes U+FFFD, which would count as a symbol.
        var next = Rune.DecodeFromUtf8(after, out var decoded, out _) == OperationStatus.Done ? decoded : default;
        if (rune.Value == 0x115F)
        {
            return next.Value is (>= 0x1161 and <= 0x11A7) or (>= 0xD7B0 and <= 0xD7C6);
        }

        if (before is not { } previous)
        {
            return false;
        }

        return rune.Value switch
        {
            ZeroWidthJoiner when IsInEmoji(previous) => IsPictograph(next),
            ZeroWidthJoiner or ZeroWidthNonJoiner => NeedsJoiners(previous),
            0xFE0E or 0xFE0F => IsPictograph(previous) || (next.Value == Keycap && previous.Value is (>= '0' and <= '9') or '#' or '*'),
            >= 0xFE00 and <= 0xFE06 => HasVariants(previous),
            >= 0xE0100 and <= 0xE01EF => IsIdeograph(previous),
            (>= 0x180B and <= 0x180D) or 0x180F => IsMongolian(previous),
            0x180E => IsMongolian(previous) && IsMongolian(next),
            0x034F => Rune.GetUnicodeCategory(previous) == UnicodeCategory.NonSpacingMark && !IsInvisible(previous),
            0x1160 => previous.Value is (>= 0x1100 and <= 0x115E) or (>= 0xA960 and <= 0xA97C),
            ZeroWidthSpace => HasNoSpaces(previous) && HasNoSpaces(next),

            // Ordinary Hebrew and Arabic has them beside Latin words and punctuation.
            LeftToRightMark or RightToLeftMark => !IsInvisible(previous) && next.Value != 0 && !IsInvisible(next),
            _ => false,
        };
    }

    /// <summary>The number of bytes of tags after the black flag at the start, if they form a valid flag; else 0.</summary>
    public static int FlagTagLength(ReadOnlySpan<byte> text)
    {
        if (Rune.DecodeFromUtf8(text, out var flag, out var start) != OperationStatus.Done || flag.Value != BlackFlag)
        {
            return 0;
        }

        var end = start;
        for (var count = 0; Rune.DecodeFromUtf8(text[end..], out var tag, out var length) == OperationStatus.Done; count++)
        {
            end += length;
            if (tag.Value == CancelTag)
            {
                return count is >= MinFlagTags and <= MaxFlagTags ? end - start : 0;
            }

            if (tag.Value is not ((>= 0xE0030 and <= 0xE0039) or (>= 0xE0061 and <= 0xE007A)) || count == MaxFlagTags)
            {
                break;
            }
        }

        return 0;
    }

    private static bool IsInEmoji(Rune rune) => IsPictograph(rune) || rune.Value == 0xFE0F;

    /// <summary>An emoji or a symbol with an emoji presentation; by block if it is newer than .NET's tables.</summary>
    private static bool IsPictograph(Rune rune) => rune.Value switch
    {
        < 0xA9 => false,
        >= 0x1F000 and <= 0x1FAFF => true,
        0xA9 or 0xAE or 0x203C or 0x2049 or 0x3030 or 0x303D => true,
        _ => Rune.GetUnicodeCategory(rune) is UnicodeCategory.OtherSymbol or UnicodeCategory.MathSymbol,
    };

    /// <summary>A letter or mark of a script in which a joiner changes the shape of its neighbours.</summary>
    private static bool NeedsJoiners(Rune rune) =>
        rune.Value is (>= 0x0600 and <= 0x08FF) or (>= 0x0900 and <= 0x0DFF) or (>= 0x0E00 and <= 0x109F)
            or (>= 0x1700 and <= 0x1CFF) or (>= 0xA800 and <= 0xABFF) or (>= 0xFB50 and <= 0xFDFF) or (>= 0xFE70 and <= 0xFEFC)
            or (>= 0x10800 and <= 0x11FFF) or (>= 0x1E900 and <= 0x1E95F)
        && !IsInvisible(rune)
        && (Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark);

    private static bool IsMongolian(Rune rune) => rune.Value is >= 0x1820 and <= 0x18AA;

    /// <summary>A letter or mark of a script without spaces, in which U+200B separates words: Thai, Lao, Burmese, Khmer.</summary>
    private static bool HasNoSpaces(Rune rune) =>
        rune.Value is (>= 0x0E01 and <= 0x0EDF) or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x17DD)
            or (>= 0xA9E0 and <= 0xA9FE) or (>= 0xAA60 and <= 0xAA7F)
        && !IsInvisible(rune);

    private static bool IsIdeograph(Rune rune) =>
        rune.Value is (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFD);

    // As of Unicode's StandardizedVariants.txt: ideographs, mathematical operators, Burmese, Phags-pa, hieroglyphs.
    private static bool HasVariants(Rune rune) =>
        IsIdeograph(rune)
        || rune.Value is (>= 0x2200 and <= 0x22FF) or (>= 0x2A00 and <= 0x2AFF) or (>= 0x1000 and <= 0x109F)
            or (>= 0xAA60 and <= 0xAA7F) or (>= 0xA840 and <= 0xA87F) or (>= 0x13000 and <= 0x1342F);
}
