using LoraFhe.Models;

namespace LoraFhe.Parity.Tests.Tokenizers;

/// <summary>Special tokens of the recorded tokenizers: spelt out in a text, added around it, decoded and left out. What is expected is what Hugging Face's tokenizers 0.23.2 gives.</summary>
public sealed class SpecialTokenTests
{
    private const string Text = "Hello<s> <|im_end|></s>x<|eot_id|>";

    [Fact]
    public void Gpt2_ends_a_text_with_its_one_special_token_and_adds_none()
    {
        PretrainedTokenizer tokenizer = TokenizerFolders.Load("gpt2");
        Assert.Equal((50256, 50256, null, 50257), (tokenizer.BosTokenId, tokenizer.EosTokenId, tokenizer.PadTokenId, tokenizer.VocabularySize));
        Assert.Equal([15496, 50256, 11], tokenizer.Encode("Hello<|endoftext|>,"));
        Check(tokenizer, [15496, 50256, 11], "Hello,", "Hello<|endoftext|>,");
    }

    [Fact]
    public void Glassllm_has_an_unknown_token_that_is_special()
    {
        PretrainedTokenizer tokenizer = TokenizerFolders.Load("glassllm");
        int[] ids = [34, 291, 70, 1, 74, 1, 91, 1, 1, 171, 55, 60, 101, 1, 1, 1, 1, 74, 1, 79, 1, 1, 60, 457, 55, 121, 1, 1];
        Assert.Equal(ids, tokenizer.Encode(Text));
        Check(
            tokenizer,
            ids,
            "Hellos im_endsxeot_id",
            "Hello<unk>s<unk> <unk><unk>im_end<unk><unk><unk><unk>s<unk>x<unk><unk>eot_id<unk><unk>");
        Assert.Equal([2, 34, 64, 3, 0], tokenizer.Encode("<bos>Hi<eos><pad>"));
    }

    [Fact]
    public void Tiny_austen_begins_a_text()
    {
        PretrainedTokenizer tokenizer = TokenizerFolders.Load("tiny-austen");
        int[] ids =
            [0, 41, 573, 80, 29, 84, 31, 222, 29, 93, 325, 64, 530, 93, 31, 29, 16, 84, 31, 89, 29, 93, 70, 299, 64, 336, 93, 31];
        CheckBoth(tokenizer, ids, added: 1);
        Check(tokenizer, ids, Text, "<|begin_of_text|>" + Text);
    }

    [RealModelFact]
    public void SmolLm2_adds_none()
    {
        PretrainedTokenizer tokenizer = TokenizerFolders.Load("smollm2");
        int[] ids = [19556, 44, 99, 46, 216, 2, 9617, 99, 46, 104, 44, 108, 85, 320, 79, 311, 108, 46];
        CheckBoth(tokenizer, ids, added: 0);
        Check(tokenizer, ids, "Hello<s> </s>x<|eot_id|>", Text);
        Assert.Equal((1, 2, 2, 49152), (tokenizer.BosTokenId, tokenizer.EosTokenId, tokenizer.PadTokenId, tokenizer.VocabularySize));
    }

    [RealModelFact]
    public void Llama3_adds_none_by_itself_for_its_file_has_no_template()
    {
        PretrainedTokenizer tokenizer = TokenizerFolders.Load("llama3");
        int[] ids = [9906, 45147, 29, 83739, 318, 6345, 91, 1500, 82, 29357, 128009];
        CheckBoth(tokenizer, ids, added: 0);
        Check(tokenizer, ids, "Hello<s> <|im_end|></s>x", Text);
        Assert.Equal((128000, 128256), (tokenizer.TokenToId("<|begin_of_text|>"), tokenizer.VocabularySize));
    }

    [RealModelFact]
    public void Llama2_begins_a_text_and_each_part_of_it_with_a_space()
    {
        PretrainedTokenizer tokenizer = TokenizerFolders.Load("llama2");
        int[] ids = [1, 22557, 1, 28705, 523, 28766, 321, 28730, 416, 28766, 28767, 2, 1318, 28789, 28766, 28706, 322, 28730, 313, 28766, 28767];
        CheckBoth(tokenizer, ids, added: 1);
        Check(tokenizer, ids, "Hello  <|im_end|> x<|eot_id|>", "<s> Hello<s>  <|im_end|></s> x<|eot_id|>");
        Assert.Equal([1], tokenizer.Encode(""));
        Assert.Equal(32000, tokenizer.VocabularySize);
    }

    private static void CheckBoth(PretrainedTokenizer tokenizer, int[] ids, int added)
    {
        Assert.Equal(ids, tokenizer.Encode(Text));
        Assert.Equal(ids[added..], tokenizer.Encode(Text, addSpecialTokens: false));
    }

    private static void Check(PretrainedTokenizer tokenizer, int[] ids, string without, string with)
    {
        Assert.Equal(without, tokenizer.Decode(ids));
        Assert.Equal(with, tokenizer.Decode(ids, skipSpecialTokens: false));
    }
}
